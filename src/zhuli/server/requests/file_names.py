"""What a file is called by the part of a form that it came in, in all the ways in which clients write that. Pure.

Plain UTF-8, RFC 5987 and 2231 (`filename*=utf-8''%E4%BD%A0.txt`, also in pieces), RFC 2047 (`=?utf-8?B?…?=`), quotes and
backslashes escaped as curl and as browsers do; and what comes in the charset of an old Chinese or Western system. What
may be in a name is cleaned elsewhere (types.knowledge.file_name).
"""

import mimetypes
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value

_OCTETS = "application/octet-stream"
_ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""What browsers escape in a file name, and nothing else (https://html.spec.whatwg.org/, multipart form data)."""


def filename_of(disposition: str) -> str | None:
    """The name in a Content-Disposition header; None if it has none. The extended form goes before the plain one."""
    header = Message()
    header["content-disposition"] = disposition
    given = [value for key, value in header.get_params([], "content-disposition") if key.lower() == "filename"]
    extended = [value for value in given if isinstance(value, tuple)]
    if extended:
        return collapse_rfc2231_value(extended[-1])
    return _plain(str(given[-1])) if given else None


def decoded(header: bytes, charset: str) -> str:
    """The text of a header, whose charset is the form's, or else that of an old client: GB18030 or Latin-1."""
    with suppress(UnicodeDecodeError, LookupError):
        return header.decode(charset)
    with suppress(UnicodeDecodeError):
        if _is_chinese(text := header.decode("gb18030")):
            return text
    return header.decode("latin-1")


def _is_chinese(text: str) -> bool:
    """Whether at least half of what is no ASCII are common characters, those of GB 2312's level 1 (rows 16 to 55).

    Two letters with accents in a row are Chinese characters, too, but hardly ever common ones.
    """
    codes = [sign.encode("gb2312", "ignore") for sign in text if not sign.isascii()]
    return 2 * sum(b"\xb0" <= code[:1] <= b"\xd7" for code in codes) >= len(codes) > 0


def unnamed(media_type: str | None) -> str:
    """What a file without a name is called; its media type says the extension, without which nobody could read it."""
    kind = (media_type or "").partition(";")[0].strip().lower()
    extension = None if kind == _OCTETS else mimetypes.guess_extension(kind)
    return f"upload{extension or ''}"


def _plain(name: str) -> str:
    for escaped, sign in _ESCAPED.items():
        name = name.replace(escaped, sign)
    if "=?" in name:
        with suppress(MessageError, LookupError, UnicodeError, ValueError):
            return "".join(_word(word, charset) for word, charset in decode_header(name))
    return name


def _word(word: str | bytes, charset: str | None) -> str:
    """Of what stands between encoded words the library makes bytes in this escape."""
    return word if isinstance(word, str) else word.decode(charset or "raw-unicode-escape")
