"""What the tuned models of the tests are about, for each task of encoders."""

from typing import Any

from zhuli.types.learning.hyperparameters import TaskName

RECORDS: dict[TaskName, list[dict[str, Any]]] = {
    "text_classification": [
        {"text": "Where is my card?", "label": "card"},
        {"text": "Play some music for me.", "label": "music"},
        {"text": "What is the weather today?", "label": "weather"},
    ],
    "token_classification": [
        {"tokens": ["Ann", "lives", "in", "Oslo"], "tags": ["B-PER", "O", "O", "B-LOC"]},
        {"tokens": ["She", "visits", "New", "York"], "tags": ["O", "O", "B-LOC", "I-LOC"]},
    ],
    "relation_extraction": [
        {
            "text": "Ann lives in Oslo",
            "head": {"start": 0, "end": 3},
            "tail": {"start": 13, "end": 17},
            "label": "lives_in",
        },
        {
            "text": "Oslo lies in Norway",
            "head": {"start": 0, "end": 4},
            "tail": {"start": 13, "end": 19},
            "label": "part_of",
        },
    ],
    "question_answering": [
        {
            "question": "Where does Ann live?",
            "context": "Ann lives in Oslo.",
            "answers": [{"text": "Oslo", "start": 13}],
        },
        {"question": "Who lies in Oslo?", "context": "Ann lives in Oslo.", "answers": []},
    ],
}
