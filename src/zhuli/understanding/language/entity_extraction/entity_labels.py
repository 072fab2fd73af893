"""What a label says of an entity, its name and its role, as city#to: a tagger's, a tuned model's or a chat model's label."""


def label_of(entity: str, role: str | None) -> str:
    return f"{entity}#{role}" if role else entity


def entity_of(label: str) -> str:
    return label.partition("#")[0]


def role_of(label: str) -> str | None:
    return label.partition("#")[2] or None
