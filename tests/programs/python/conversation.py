"""Talk for ten turns, by turns polled and streamed, and print each turn as a line of JSON."""

import json

from openai import OpenAI

client = OpenAI()

QUESTIONS = [
    "My name is Ann. What is a lighthouse for?",
    "Who works there?",
    "How far can one see it?",
    "Is it ever dark?",
    "What colour is the light?",
    "Do ships answer?",
    "Which is the oldest one?",
    "Could I live there?",
    "What would I eat?",
    "What is my name?",
]

assistant = client.beta.assistants.create(model="gpt-4o", instructions="Answer in one short sentence.")
thread = client.beta.threads.create()

for number, question in enumerate(QUESTIONS):
    client.beta.threads.messages.create(thread.id, role="user", content=question)
    if number % 2:
        with client.beta.threads.runs.stream(
            thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=256
        ) as stream:
            streamed = "".join(stream.text_deltas)
        run = stream.get_final_run()
    else:
        streamed = None
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=256
        )
    answer = client.beta.threads.messages.list(thread.id, run_id=run.id).data[0].content[0].text.value
    if streamed is not None:
        assert streamed == answer
    print(json.dumps({"status": run.status, "prompt_tokens": run.usage.prompt_tokens, "answer": answer}))

roles = [message.role for message in client.beta.threads.messages.list(thread.id, order="asc", limit=5)]
assert roles == ["user", "assistant"] * len(QUESTIONS)
