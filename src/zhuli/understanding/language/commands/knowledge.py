"""Whether a domain has documents to ask, and how: for a question that no intent is for."""

from zhuli.types.understanding.domain import DomainFields, Search, Talk


def searches(domain: DomainFields) -> Search | None:
    """How what no intent is for is looked up; None where the domain has other plans for it, and no intent that searches."""
    fallback = domain.fallback.out_of_scope
    if isinstance(fallback, Search):
        return fallback
    own = any(isinstance(intent.action, Search) for intent in domain.intents)
    return Search(type="search") if own or isinstance(fallback, Talk) else None
