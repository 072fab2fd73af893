"""What lies in the folder that the server and its child work in."""

TRANSCRIPTS, GATHERED, DIALOGUES = "transcripts", "gathered.jsonl", "dialogues.jsonl"
"""A file as it was sent; our own threads; dialogues as they are kept, a JSON object a line."""

PAIRS, QUESTIONS, ANSWERS, KNOWN = "pairs.json", "questions.bin", "answers.bin", "known.bin"
"""What is mined: pairs, and vectors of their questions, of their answers, and of examples of earlier intents."""

PROGRAM = "zhuli.applications.support.child"
"""The child."""
