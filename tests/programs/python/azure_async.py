"""What azure.py does, with the asynchronous client."""

import asyncio

from openai import AsyncAzureOpenAI


async def main():
    client = AsyncAzureOpenAI(azure_endpoint="http://127.0.0.1:8000", api_key="none", api_version="2024-05-01-preview")

    chat = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    print(chat.choices[0].message.content)
    async for chunk in await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "tell a story"}], stream=True
    ):
        if chunk.choices and chunk.choices[0].delta.content:
            print(chunk.choices[0].delta.content, end="|")
    print()
    print(len((await client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])).data))

    assistant = await client.beta.assistants.create(model="gpt-4o")
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    print(run.status)
    await client.beta.threads.messages.create(thread.id, role="user", content="tell a story")
    async with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        print("".join([text async for text in stream.text_deltas]))
    print((await client.files.create(file=("a.txt", b"hello"), purpose="assistants")).status)

    deployed = AsyncAzureOpenAI(
        azure_endpoint="http://127.0.0.1:8000",
        azure_deployment="gpt-4o",
        api_key="none",
        api_version="2024-10-21",
    )
    chat = await deployed.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    print(chat.choices[0].message.content)


asyncio.run(main())
