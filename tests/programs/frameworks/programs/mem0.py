"""mem0: facts from a conversation, and a search among them."""

import os

os.environ["MEM0_TELEMETRY"] = "False"

from mem0 import Memory

zhuli = {"openai_base_url": "http://127.0.0.1:8000/v1", "api_key": "none"}
memory = Memory.from_config(
    {
        "llm": {"provider": "openai", "config": {"model": "gpt-4o", **zhuli}},
        "embedder": {
            "provider": "openai",
            "config": {"model": "text-embedding-3-small", "embedding_dims": 1536, **zhuli},
        },
        "vector_store": {"provider": "qdrant", "config": {"path": "memories"}},
    }
)

for found in memory.add("I was born in Vienna and have a cat.", user_id="ann")["results"]:
    print(found["event"], found["memory"])
print(memory.search("Where was Ann born?", filters={"user_id": "ann"})["results"][0]["memory"])
