"""Word documents (.docx and its sisters): headings, paragraphs, lists and tables in their order, then the notes.

What the parts of the package mean is documents.word_document's part. Headers and footers are left out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from zhuli.knowledge.documents.office_package import open_package
from zhuli.types.knowledge.document import Block

KINDS = (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)
"""Documents with macros and templates, which python-docx refuses for their name alone."""
BESIDES = ("numbering", "footnotes", "endnotes", "comments")


class Plugin:
    """Insertions that are tracked count as accepted, deletions as gone; comments are marked. Notes stand at the end, as [1] …"""

    extensions: Sequence[str] = (".docx", ".docm", ".dotx", ".dotm")

    def parse(self, path: Path) -> Iterator[Block]:
        blocks: Iterator[Block] = open_package(_opened, path, "Word document").blocks()
        return blocks


def _opened(file: BinaryIO) -> Any:
    from docx.opc.part import PartFactory  # python-docx and lxml
    from docx.package import Package
    from docx.parts.document import DocumentPart

    from zhuli.knowledge.documents.word_document import WordDocument

    for kind in KINDS:
        PartFactory.part_type_for[kind] = DocumentPart
    main = Package.open(file).main_document_part
    if not isinstance(main, DocumentPart):
        raise ValueError(main.content_type)
    document = main.document
    return WordDocument(document.element.body, document.styles.element, dict(_besides(main)), main.related_parts)


def _besides(main: Any) -> Iterator[tuple[str, Any]]:
    """The parts that belong to the body, as XML; python-docx gives some of them as bytes."""
    from docx.oxml import parse_xml

    for part in main.related_parts.values():
        name = part.partname.filename.removesuffix(".xml")
        if name in BESIDES:
            yield name, parse_xml(part.blob)
