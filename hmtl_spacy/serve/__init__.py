"""A local web application: a page that shows the layers of a text you type, and a JSON API.

It needs the extra `hmtl-spacy[serve]`; `hmtl_spacy.serve.app` imports it.

    from hmtl_spacy.serve.app import create_app
    app = create_app(nlp)                 # an ASGI application, for any server
"""

from .limits import Limits

__all__ = ["Limits"]
