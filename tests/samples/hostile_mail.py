"""Hostile e-mail."""

from email.message import EmailMessage

HEAD = b"From: a@example.com\nTo: b@example.com\nSubject: Hello\n"


def deep() -> bytes:
    """A message in a message in a message."""
    parts = [f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n'.encode() for level in range(500)]
    return HEAD + b"MIME-Version: 1.0\n" + b"".join(parts) + b"Content-Type: text/plain\n\nthe bottom\n"


def cut() -> bytes:
    return HEAD + b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n\nthe part that came\n'


def unknown_charset() -> bytes:
    return HEAD + b'Content-Type: text/plain; charset="x-martian"\n\nplain enough to be read\n'


def with_attachment() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Invoice"
    message.set_content("Please find it attached.")
    message.add_attachment(b"MZ not a program", maintype="application", subtype="octet-stream", filename="invoice.exe")
    return message.as_bytes()
