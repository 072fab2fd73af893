// AI SDK: an answer, one as it comes, tools, a shape, vectors; both of its providers.

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const zhuli = createOpenAI({ baseURL: "http://127.0.0.1:8000/v1", apiKey: "none" });
const model = zhuli.chat("gpt-4o"); // zhuli("gpt-4o") would ask /v1/responses

const asked = [];
const get_weather = tool({
  description: "The weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    asked.push(city);
    return `sunny in ${city}`;
  },
});

console.log((await generateText({ model, prompt: "Hello" })).text);

let story = "";
for await (const piece of streamText({ model, prompt: "tell a story" }).textStream) story += `${piece}|`;
console.log(story);

const weather = { prompt: "weather in Paris and Rome?", tools: { get_weather }, stopWhen: stepCountIs(3) };
console.log((await generateText({ model, ...weather })).text, asked.sort());

const { embeddings } = await embedMany({ model: zhuli.embedding("text-embedding-3-small"), values: ["one", "two"] });
console.log(embeddings.length, embeddings[0].length);

const compatible = createOpenAICompatible({ name: "zhuli", baseURL: "http://127.0.0.1:8000/v1", apiKey: "none" });
console.log((await generateText({ model: compatible("gpt-4o"), prompt: "Hello" })).text);
