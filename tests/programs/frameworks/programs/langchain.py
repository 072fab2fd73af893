"""LangChain: an answer, one as it comes, tools, a shape, vectors."""

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

zhuli = {"base_url": "http://127.0.0.1:8000/v1", "api_key": "none"}
model = ChatOpenAI(model="gpt-4o", use_responses_api=False, **zhuli)
embeddings = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False, **zhuli)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    sunny: bool


print(model.invoke("Hello").content)

print("|".join(piece.content for piece in model.stream("tell a story") if piece.content))

messages = [HumanMessage("weather in Paris and Rome?")]
turn = model.bind_tools([get_weather]).invoke(messages)
outputs = [get_weather.invoke(call) for call in turn.tool_calls]
print([output.content for output in outputs], model.invoke([*messages, turn, *outputs]).content)

print(repr(model.with_structured_output(Weather).invoke('{"city": "Paris", "sunny": true}')))

texts = ["The bakery opens at six.", "Ships need a lighthouse."]
question = embeddings.embed_query("when does the bakery open?")
nearness = [sum(a * b for a, b in zip(question, vector)) for vector in embeddings.embed_documents(texts)]
print(texts[nearness.index(max(nearness))])

azure = AzureChatOpenAI(
    azure_endpoint="http://127.0.0.1:8000", azure_deployment="gpt-4o", api_version="2024-10-21", api_key="none"
)
print(azure.invoke("Hello").content)
