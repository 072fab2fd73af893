"""Domains that are changed by several at once, or deleted while they are used. Reading and listing is store.collections."""

from functools import lru_cache

from sqlalchemy import Connection, select

from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import collections
from zhuli.store.schema import assistants, domains
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.understanding.domain import Domain, DomainReport

KEPT = 16
"""Domains that are kept as they were read last, by their text."""


def named(connection: Connection, project: str, domain_id: str) -> Domain:
    """The domain that a request names in its `domain`; NotFound says so. Not to be changed: others get the same one."""
    with collections.named_by("domain"):
        return _read(collections.body(connection, domains, project, domain_id))


@lru_cache(KEPT)
def _read(body: str) -> Domain:
    """A domain is read with each message, and its examples are most of what a message would wait for here."""
    return Domain.model_validate_json(body)


def insert(connection: Connection, project: str, domain: Domain) -> Domain:
    """The domain, which exists from now on."""
    collections.insert(connection, domains, project, domain)
    return domain


def change(connection: Connection, project: str, domain: Domain) -> bool:
    """Write the domain's next version; False if somebody else has written it meanwhile."""
    if _locked(connection, project, domain.id).version != domain.version - 1:
        return False
    collections.replace(connection, domains, domain)
    return True


def report(connection: Connection, project: str, domain: Domain, found: DomainReport) -> None:
    """Keep what was found about this version; of a domain that has gone on or was deleted, it is of no use."""
    try:
        current = _locked(connection, project, domain.id)
    except NotFound:
        return
    if current.version == domain.version:
        collections.replace(connection, domains, current.model_copy(update={"report": found}))


def remove(connection: Connection, project: str, domain_id: str) -> None:
    """Delete the domain, unless an assistant has it."""
    _locked(connection, project, domain_id)
    if (assistant := _used_by(connection, project, domain_id)) is not None:
        text = f"The assistant '{assistant}' has this domain. Give it another one, or null, or delete it first."
        raise InvalidRequest(text, param="domain_id", code="domain_in_use")
    collections.remove(connection, domains, project, domain_id)


def _locked(connection: Connection, project: str, domain_id: str) -> Domain:
    """The domain, which nobody else changes before this transaction ends; NotFound."""
    connection.execute(select(domains.c.seq).where(domains.c.id == domain_id).with_for_update())
    return collections.get(connection, domains, Domain, project, domain_id)


def _used_by(connection: Connection, project: str, domain_id: str) -> str | None:
    mentioned = assistants.c.body.contains(f'"domain":"{domain_id}"', autoescape=True)
    query = select(assistants.c.body).where(assistants.c.project_id == project, mentioned)
    found = (Assistant.model_validate_json(body) for body in connection.execute(query).scalars())
    return next((assistant.id for assistant in found if assistant.domain == domain_id), None)
