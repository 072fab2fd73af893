"""Commands as people read them in reasons: set people = 5 ("5 people")."""

from zhuli.types.understanding.commands import (
    AskKnowledge,
    CallPerson,
    CancelForm,
    ClarifyIntents,
    Command,
    Commands,
    MakeSmallTalk,
    MentionEntity,
    SayYesOrNo,
    SetSlot,
    StartIntent,
)

LONGEST = 60
"""Characters of a value or of words that are shown."""


def in_words(commands: Commands) -> str:
    """One sentence."""
    told = "; ".join(map(_told, commands.given)) or "nothing of the domain's"
    return f"The model says: {told} (sure by {commands.certainty:.0%})."


def _told(command: Command) -> str:
    match command:
        case SetSlot(slot, words, value, corrects):
            return f'{"correct" if corrects else "set"} {slot} = {str(value)[:LONGEST]} ("{words[:LONGEST]}")'
        case StartIntent(intent):
            return f"start {intent}"
        case ClarifyIntents(intents):
            return f"clarify {', '.join(intents)}"
        case SayYesOrNo(yes):
            return "yes" if yes else "no"
        case MakeSmallTalk(kind):
            return f"small talk, {kind}"
        case MentionEntity(entity, role, words, _):
            return f'mention {entity}{f"#{role}" if role else ""} ("{words[:LONGEST]}")'
        case CancelForm():
            return "cancel"
        case CallPerson():
            return "hand over"
        case AskKnowledge():
            return "knowledge"
