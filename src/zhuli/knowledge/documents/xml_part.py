"""XML out of documents from outside, parsed in one way: no entity is expanded and nothing is fetched."""

import zipfile
from typing import Any


def parsed(xml: bytes) -> Any:
    """The root element. What a broken one raises is among DAMAGED."""
    from lxml import etree  # comes with the libraries that open the documents

    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))


DAMAGED = (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError, NotImplementedError, SyntaxError)
"""What a ZIP of XML parts raises where it is broken; lxml's own error is a SyntaxError."""
