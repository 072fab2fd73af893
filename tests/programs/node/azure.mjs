// The client for Azure of Node's SDK: deployments, a version in the address, a key in a header of its own.

import { AzureOpenAI } from "openai";

const client = new AzureOpenAI({ endpoint: "http://127.0.0.1:8000", apiKey: "none", apiVersion: "2024-05-01-preview" });

const chat = await client.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "hello" }] });
console.log(chat.choices[0].message.content);

let told = "";
const story = { model: "gpt-4o", messages: [{ role: "user", content: "tell a story" }], stream: true };
for await (const chunk of await client.chat.completions.create(story)) {
  const text = chunk.choices[0]?.delta?.content;
  if (text) told += `${text}|`;
}
console.log(told);
console.log((await client.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] })).data.length);

const assistant = await client.beta.assistants.create({ model: "gpt-4o" });
const thread = await client.beta.threads.create({ messages: [{ role: "user", content: "hello" }] });
const run = await client.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
console.log(run.status);
await client.beta.threads.messages.create(thread.id, { role: "user", content: "tell a story" });
let text = "";
const stream = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
stream.on("textDelta", (delta) => (text += delta.value ?? ""));
await stream.finalRun();
console.log(text);
console.log((await client.files.create({ file: new File(["hello"], "a.txt"), purpose: "assistants" })).status);

const deployed = new AzureOpenAI({
  endpoint: "http://127.0.0.1:8000",
  deployment: "gpt-4o",
  apiKey: "none",
  apiVersion: "2024-10-21",
});
const answer = await deployed.chat.completions.create({
  model: "gpt-4o",
  messages: [{ role: "user", content: "hello" }],
});
console.log(answer.choices[0].message.content);
