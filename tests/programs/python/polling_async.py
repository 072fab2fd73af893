"""Ask a question and poll for the answer."""

import asyncio

from openai import AsyncOpenAI


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o", name="Guide", instructions="You know the town.")
    thread = await client.beta.threads.create()
    await client.beta.threads.messages.create(thread.id, role="user", content="Where is the station?")

    run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    print(run.status)

    async for message in client.beta.threads.messages.list(thread_id=thread.id, run_id=run.id):
        for part in message.content:
            if part.type == "text":
                print(f"{message.role}: {part.text.value}")

    run = await client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
    run = await client.beta.threads.runs.poll(run.id, thread_id=thread.id)
    print(run.status)
    print(len([run async for run in client.beta.threads.runs.list(thread.id)]))


asyncio.run(main())
