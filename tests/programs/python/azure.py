"""The same app as it talks to Azure: deployments, a version in the address, a key in a header of its own."""

from openai import AzureOpenAI

client = AzureOpenAI(azure_endpoint="http://127.0.0.1:8000", api_key="none", api_version="2024-05-01-preview")

chat = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
print(chat.choices[0].message.content)
for chunk in client.chat.completions.create(
    model="gpt-4o", messages=[{"role": "user", "content": "tell a story"}], stream=True
):
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="|")
print()
print(len(client.embeddings.create(model="text-embedding-3-small", input=["one", "two"]).data))

assistant = client.beta.assistants.create(model="gpt-4o")
thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
print(run.status)
client.beta.threads.messages.create(thread.id, role="user", content="tell a story")
with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
    print("".join(stream.text_deltas))
print(client.files.create(file=("a.txt", b"hello"), purpose="assistants").status)

deployed = AzureOpenAI(
    azure_endpoint="http://127.0.0.1:8000",
    azure_deployment="gpt-4o",
    api_key="none",
    api_version="2024-10-21",
)
chat = deployed.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
print(chat.choices[0].message.content)
