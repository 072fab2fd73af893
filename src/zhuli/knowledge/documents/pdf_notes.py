"""What is written on a PDF's page beside its text: values filled into a form, and notes that are shown as text (FreeText)."""

import ctypes
from collections.abc import Iterator
from typing import Any

from zhuli.knowledge.documents.pdf_tables import Box

MAX_NOTES = 2_000
"""Of a page."""
MAX_BYTES = 200_000
"""Of one value, as UTF-16."""
CHECKED = "☑"
PASSWORD = 1 << 13
"""The flag of a field whose value is not shown (ISO 32000-1, table 228)."""


def notes_of(page: Any, form: Any) -> Iterator[tuple[str, Box]]:
    """Texts with their places in PDF's left, bottom, right, top. form: PDFium's form environment, None for a file without."""
    from pypdfium2 import raw

    for number in range(min(raw.FPDFPage_GetAnnotCount(page), MAX_NOTES)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        kind, place = raw.FPDFAnnot_GetSubtype(note), raw.FS_RECTF()
        text = ""
        if kind == raw.FPDF_ANNOT_FREETEXT:
            text = _string(note, b"Contents")
        elif kind == raw.FPDF_ANNOT_WIDGET and form is not None:
            text = _value(note, form)
        if text.strip() and raw.FPDFAnnot_GetRect(note, ctypes.byref(place)):
            low, high = sorted((place.bottom, place.top))
            yield text, (place.left, low, place.right, high)
        raw.FPDFPage_CloseAnnot(note)


def _value(note: Any, form: Any) -> str:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, note)
    if kind in {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}:
        return CHECKED if raw.FPDFAnnot_IsChecked(form, note) else ""
    if kind not in {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}:
        return ""
    if raw.FPDFAnnot_GetFormFieldFlags(form, note) & PASSWORD:
        return ""
    length = raw.FPDFAnnot_GetFormFieldValue(form, note, None, 0)
    buffer = (ctypes.c_ushort * (min(length, MAX_BYTES) // 2))()
    if length > MAX_BYTES or length < 2:
        return ""
    raw.FPDFAnnot_GetFormFieldValue(form, note, buffer, length)
    return _decoded(buffer)


def _string(note: Any, name: bytes) -> str:
    from pypdfium2 import raw

    length = raw.FPDFAnnot_GetStringValue(note, name, None, 0)
    if length > MAX_BYTES or length < 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2))()
    raw.FPDFAnnot_GetStringValue(note, name, buffer, length)
    return _decoded(buffer)


def _decoded(buffer: Any) -> str:
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")
