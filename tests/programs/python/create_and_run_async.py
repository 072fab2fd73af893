"""Make a thread and run it in one call: polled, then streamed."""

import asyncio

from openai import AsyncOpenAI


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o")
    thread = {"messages": [{"role": "user", "content": "hello"}], "metadata": {"user": "Ann"}}

    run = await client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=thread)
    print(run.status)
    print((await client.beta.threads.retrieve(run.thread_id)).metadata)
    print((await client.beta.threads.messages.list(run.thread_id)).data[0].content[0].text.value)

    async with client.beta.threads.create_and_run_stream(assistant_id=assistant.id, thread=thread) as stream:
        async for event in stream:
            if event.event == "thread.created":
                print(event.event)
        print((await stream.get_final_run()).status)
        print((await stream.get_final_messages())[0].content[0].text.value)

    await client.beta.threads.delete(run.thread_id)
    print((await client.beta.assistants.delete(assistant.id)).deleted)


asyncio.run(main())
