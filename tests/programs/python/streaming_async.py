"""Print an answer as it comes, with an event handler."""

import asyncio

from openai import AsyncAssistantEventHandler, AsyncOpenAI


class Printer(AsyncAssistantEventHandler):
    async def on_text_created(self, text):
        print("assistant: ", end="")

    async def on_text_delta(self, delta, snapshot):
        print(delta.value, end="", flush=True)

    async def on_text_done(self, text):
        print()

    async def on_message_done(self, message):
        print(f"message {message.status}")

    async def on_run_step_done(self, run_step):
        print(f"step {run_step.type} {run_step.status}")

    async def on_end(self):
        print("end")


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o")
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "tell a story"}])

    async with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Printer()
    ) as stream:
        await stream.until_done()
    print(f"run {(await stream.get_final_run()).status}")

    await client.beta.threads.messages.create(thread.id, role="user", content="hello")
    async with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        async for text in stream.text_deltas:
            print(text, end="")
        print()
    print((await stream.get_final_messages())[0].content[0].text.value)

    await client.beta.threads.messages.create(thread.id, role="user", content="hello again")
    events = await client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=True)
    async for event in events:
        if event.event != "thread.message.delta":
            print(event.event)


asyncio.run(main())
