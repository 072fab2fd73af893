"""Talk for ten turns, by turns polled and streamed, and print each turn as a line of JSON."""

import asyncio
import json

from openai import AsyncOpenAI

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


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o", instructions="Answer in one short sentence.")
    thread = await client.beta.threads.create()

    for number, question in enumerate(QUESTIONS):
        await client.beta.threads.messages.create(thread.id, role="user", content=question)
        if number % 2:
            async with client.beta.threads.runs.stream(
                thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=256
            ) as stream:
                streamed = "".join([text async for text in stream.text_deltas])
            run = await stream.get_final_run()
        else:
            streamed = None
            run = await client.beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=256
            )
        messages = await client.beta.threads.messages.list(thread.id, run_id=run.id)
        answer = messages.data[0].content[0].text.value
        if streamed is not None:
            assert streamed == answer
        print(json.dumps({"status": run.status, "prompt_tokens": run.usage.prompt_tokens, "answer": answer}))

    listed = client.beta.threads.messages.list(thread.id, order="asc", limit=5)
    roles = [message.role async for message in listed]
    assert roles == ["user", "assistant"] * len(QUESTIONS)


asyncio.run(main())
