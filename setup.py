from setuptools import find_packages, setup

# the presets of `spacy hmtl init-config` travel in the package; their source is the project's folder
setup(
    packages=[*find_packages(include=["hmtl_spacy", "hmtl_spacy.*"]), "hmtl_spacy.configs"],
    package_dir={"hmtl_spacy.configs": "configs"},
)
