"""Rasa projects in the shapes of several versions: what an import makes of each."""

from zhuli.types.understanding.domain import DomainFields, Respond
from zhuli.understanding.dialogue.utterance.payloads import payload
from zhuli.understanding.domains.checks.checking import check
from zhuli.understanding.domains.rasa import project

TWO = """
intents: [greet, affirm, deny, fly, faq]
entities: [city]
slots:
  city: {type: rasa.shared.core.slots.TextSlot}
  cabin: {type: my.own.Slot}
responses:
  utter_ask_flight_city: [{text: Where to?}]
  utter_ask_hotel_city: [{text: In which city?}]
  utter_balance: [{text: "You have {total}."}]
  utter_faq/price: [{text: Ten.}]
  utter_go: [{text: Go!}]
  utter_stay: [{text: Stay.}]
forms:
  flight:
    required_slots:
      city: [{type: from_entity, entity: city, role: to}]
      cabin: [{type: from_intent, intent: affirm, value: first}, {type: from_text}]
  hotel:
    city: [{type: from_entity, entity: city}]
nlu:
- intent: faq/price
  examples: "- how much"
- intent: greet
  examples: "- hi"
pipeline: [{name: FallbackClassifier, threshold: 0.6, ambiguity_threshold: 0.2}]
rules:
- rule: fly
  steps: [{intent: fly}, {action: flight}, {active_loop: flight}]
- rule: faq
  steps: [{intent: faq}, {action: utter_faq}]
stories:
- story: begins
  steps: [{intent: greet}, {action: action_balance}, {checkpoint: shown}]
- story: goes on
  steps: [{checkpoint: shown}, {intent: affirm}, {action: utter_go}]
- story: does not
  steps: [{checkpoint: shown}, {intent: deny}, {action: utter_stay}]
- story: in words
  steps: [{user: hi}, {bot: Good day.}, {intent: affirm}, {action: utter_stay}]
"""


def imported(**files: str) -> DomainFields:
    domain, _ = project.read({name.replace("__", "."): text for name, text in files.items()})
    assert [finding for finding in check(domain).findings if finding.level == "error"] == []
    return domain


def test_a_project_of_two_without_version_comes_with_forms_faqs_checkpoints_and_thresholds() -> None:
    domain = imported(domain__yml=TWO)
    forms = {form.name: form for form in domain.forms}
    assert (forms["flight"].slots, forms["hotel"].slots) == (["city", "cabin"], ["city"])
    assert "In which city?" in (forms["hotel"].prompts.get("city"), domain.slots[0].prompt)
    slots = {slot.name: slot for slot in domain.slots}
    assert [mapping.type for mapping in slots["cabin"].mappings] == ["intent", "text"]
    assert domain.variables == ["total"]
    faq = next(intent for intent in domain.intents if intent.name == "faq/price")
    assert faq.action == Respond(type="respond", response="utter_faq/price")
    assert (domain.fallback.threshold, domain.fallback.margin) == (0.6, 0.2)
    after = {(*rule.when.intents, *rule.when.after): rule.do for rule in domain.rules}
    assert after["affirm", "action_balance"] == [Respond(type="respond", response="utter_go")]
    assert after["deny", "action_balance"] == [Respond(type="respond", response="utter_stay")]
    assert after["affirm", "bot_1"] == [Respond(type="respond", response="utter_stay")]


def test_markdown_and_json_of_one_are_read_line_for_line() -> None:
    nlu = "## intent:greet\n- hi\n- hello [Ann](name)\n\n## synonym:Paris\n- paname\n"
    stories = '## path\n* greet\n  - utter_hello\n* bye{"name": "Ann"}\n  - utter_bye\n'
    said = '{"rasa_nlu_data": {"common_examples": [{"text": "bye Ann", "intent": "bye", "entities": '
    said += '[{"start": 4, "end": 7, "entity": "name", "value": "Ann"}]}]}}'
    responses = "intents: [greet, bye]\ntemplates:\n  utter_hello: [{text: Hello}]\n  utter_bye: [Bye]\n"
    domain = imported(nlu__md=nlu, stories__md=stories, more__json=said, domain__yml=responses)
    examples = {intent.name: intent.examples for intent in domain.intents}
    assert examples == {"greet": ["hi", "hello [Ann](name)"], "bye": ["bye [Ann](name)"]}
    assert domain.responses == {"utter_hello": "Hello", "utter_bye": "Bye"}
    (rule,) = domain.rules
    assert (rule.when.intents, rule.when.after) == (["bye"], ["utter_hello"])


def test_what_is_out_of_scope_has_the_retrieval_s_answer_and_then_what_follows_it() -> None:
    said = """
intents: [greet, affirm, out_of_scope]
responses:
  utter_out_of_scope/other: [{text: I do not know that.}]
  utter_possibilities: [{text: I can do this.}]
nlu:
- intent: greet
  examples: "- hi"
- intent: affirm
  examples: "- yes"
- intent: out_of_scope/other
  examples: "- who won"
rules:
- rule: unclear
  steps: [{intent: nlu_fallback}, {action: action_two_stage_fallback}]
stories:
- story: outside
  steps: [{intent: out_of_scope}, {action: utter_out_of_scope}, {action: utter_possibilities}]
"""
    domain = imported(domain__yml=said)
    assert domain.fallback.out_of_scope == Respond(type="respond", response="utter_out_of_scope/other")
    assert domain.fallback.unclear.type == "clarify"
    reading = payload(domain, "/nlu_fallback")
    assert reading is not None
    assert "affirm" not in [one.name for one in reading.ranking]
