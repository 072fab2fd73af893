"""Cancel a run whose answer takes too long, and go on talking."""

import asyncio

import openai
from openai import AsyncOpenAI


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o")
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "begin and stall"}])

    async with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        async for event in stream:
            if event.event == "thread.message.delta":
                try:
                    await client.beta.threads.messages.create(thread.id, role="user", content="too early")
                except openai.BadRequestError as error:
                    print(error.status_code, "while a run" in error.message)
                await client.beta.threads.runs.cancel(stream.current_run.id, thread_id=thread.id)
    run = await client.beta.threads.runs.poll((await stream.get_final_run()).id, thread_id=thread.id)
    print(run.status)
    message = (await client.beta.threads.messages.list(thread.id)).data[0]
    print(message.status, message.incomplete_details.reason, message.content[0].text.value)

    try:
        await client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    except openai.BadRequestError as error:
        print("Cannot cancel run with status 'cancelled'." in error.message)

    await client.beta.threads.messages.create(thread.id, role="user", content="hello")
    run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    print(run.status)


asyncio.run(main())
