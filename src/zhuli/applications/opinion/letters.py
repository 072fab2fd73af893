"""An alert as a letter, and its way through an SMTP server, by aiosmtplib."""

from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from zhuli.types.applications.opinion import Alert

SECONDS = 30.0
_TEXTS = 5


def subject(alert: Alert, monitor: str) -> str:
    """A line: how grave, whose, where."""
    return f"[{alert.severity}] {monitor}: negative opinion surges in {alert.series}".replace("\n", " ")[:200]


def letter(alert: Alert, monitor: str) -> str:
    """What has happened, in plain text."""
    told = alert.evidence
    lines = [
        f"{subject(alert, monitor)}.",
        "",
        f"Since {_when(alert.onset)} there were {told.observed} negative stories, where {told.expected:.1f} were expected: "
        f"{told.ratio:.1f} times as many. They reached {told.reach} items, reposts included.",
        f"New words: {', '.join(alert.new_terms) or 'none'}.",
        "",
        *(f"- {text.text[:300]} ({text.source}, told {text.reach} times)" for text in alert.texts[:_TEXTS]),
        "",
        f"Alert {alert.id} of monitor {alert.monitor_id}.",
    ]
    return "\n".join(lines)


def _when(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M UTC")


async def send(url: str, sender: str, to: str, *, title: str, text: str) -> str | None:
    """None where the server took it; otherwise what went wrong, in a sentence."""
    import aiosmtplib

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, title
    message.set_content(text)
    at = urlsplit(url)
    try:
        await aiosmtplib.send(
            message,
            hostname=at.hostname or "localhost",
            port=at.port or (465 if at.scheme == "smtps" else 25),
            username=unquote(at.username) if at.username else None,
            password=unquote(at.password) if at.password else None,
            use_tls=at.scheme == "smtps",
            timeout=SECONDS,
        )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return f"The mail server did not take it ({type(error).__name__})."
    return None
