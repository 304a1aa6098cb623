"""Makes the links of GitHub's pages work on the site: what they name outside of `docs` becomes part of it.

MkDocs calls the functions that are named `on_...`. Pages stay as they are; their links are turned while the
site is built. What is outside of `docs` is at `project/` there: Markdown as pages, folders as lists of files,
else copies.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
PLACE = "project"
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
IN_LIST = re.compile(r"^ {3}(?=\S)", re.MULTILINE)
CODE_IN_LIST = re.compile(r"^ {3}```.*?^ {3}```", re.DOTALL | re.MULTILINE)


def on_files(files, config):
    """Add the pages and files that links name, and those that their links name in turn."""
    waiting = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    waiting += [original(uri) for uri in named(config.nav or []) if uri.startswith(f"{PLACE}/")]
    seen = set()
    for path in waiting:
        if path in seen:
            continue
        seen.add(path)
        if not path.startswith("docs/"):
            files.append(included(config, path))
        if path.endswith(".md"):
            waiting += [target for target in targets(path) if not target.startswith("docs/")]
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links to where things are on the site, and indent lists as deep as Python-Markdown wants it."""
    path = original(page.file.src_uri)
    turned = outside_code(lambda text: LINK.sub(lambda link: turn(link, path), text), markdown)
    indented = CODE_IN_LIST.sub(lambda code: code.group().replace("\n", "\n "), turned)
    return IN_LIST.sub("    ", indented)


def outside_code(change, markdown):
    """What `change` makes of Markdown, with code left alone."""
    parts = CODE.split(markdown)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))


def named(nav):
    """YIELDS: the pages of a navigation."""
    for entry in nav.values() if isinstance(nav, dict) else nav:
        if isinstance(entry, str):
            yield entry
        else:
            yield from named(entry)


def original(uri):
    """Where a page of the site is in the project."""
    return (
        uri.removeprefix(f"{PLACE}/").removesuffix("/files.md")
        if uri.startswith(f"{PLACE}/")
        else f"docs/{uri}"
    )


def place(path):
    """Where a file of the project is on the site; the reverse of `original`."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{PLACE}/{path}" + ("/files.md" if (ROOT / path).is_dir() else "")


def targets(path):
    """The files of the project that a page links to."""
    found = []
    outside_code(lambda text: found.extend(LINK.findall(text)) or text, (ROOT / path).read_text("utf8"))
    return [target for _, link, _, _ in found if local(link) and (target := meant(link, path))]


def local(link):
    return "://" not in link and not link.startswith(("mailto:", "/"))


def meant(link, path):
    """The file that a page's link means, None if there is none. docs/project.md is generated for the root."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    return next((target for target in (beside, link) if (ROOT / target).exists()), None)


def turn(link, path):
    """A link of a page of the project as it is on the site; a dead one stays for MkDocs to report."""
    begin, target, anchor, end = link.groups()
    found = meant(target, path) if local(target) else None
    if found is None:
        return link.group()
    there = posixpath.relpath(place(found), posixpath.dirname(place(path)) or ".")
    return f"{begin}{there}{anchor or ''}{end}"


def included(config, path):
    """A file of the project as one of the site; of a folder, a list of its files."""
    source = ROOT / path
    if source.is_dir():
        names = sorted(file.name for file in source.iterdir() if file.is_file())
        text = f"# {path}\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"
        return File.generated(config, place(path), content=text)
    return File.generated(config, place(path), content=source.read_bytes())
