"""Tiny random models in Hugging Face folders, made in a moment without a network, to be tuned by tests.

Two layers of width 32: they learn small samples by heart, and what they say before that means nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

WIDTH = 32
LAYERS = 2
WINDOW = 512
"""Tokens that the encoder and the language model read at once."""

CHAT_TEMPLATE = (
    "{% if tools %}<|im_start|>system\nTools: {{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] or '' }}"
    "{% if message['tool_calls'] %}{{ message['tool_calls'] | tojson }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, as SmolLM2 and Qwen have it, with tools and tool calls as JSON."""

_SAID_OFTEN = (
    "the and of to in is you that it was for on are as with his they at be this have from or one had by "
    "what where when how why who please thank order card account money call book play weather music today"
)
"""What the byte-level vocabulary has whole words of; every other text is made of bytes."""


def tiny_encoder(folder: Path, *, words: Iterable[str] = (), layers: int = LAYERS) -> Path:
    """A BERT with word pieces: `words`, letters, and the commonest 3,755 Chinese characters. Gives `folder`."""
    tokenizer = _word_pieces(words)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=WINDOW,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,
    )
    return _written(BertModel, config, tokenizer, folder)


def tiny_language_model(folder: Path) -> Path:
    """A Llama that reads bytes and chats by CHAT_TEMPLATE; two heads of keys and values for four of queries."""
    tokenizer = _bytes("<|im_end|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=WINDOW,
        initializer_range=0.1,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.get_vocab()["<|im_start|>"],
        eos_token_id=tokenizer.eos_token_id,
    )
    return _written(LlamaForCausalLM, config, tokenizer, folder)


def tiny_seq2seq(folder: Path) -> Path:
    """A T5 that reads bytes; texts of both sides end with </s>."""
    tokenizer = _bytes("</s>")
    end = ("</s>", tokenizer.eos_token_id)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [end])
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=16,
        d_ff=2 * WIDTH,
        num_layers=LAYERS,
        num_heads=2,
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config.decoder_start_token_id = tokenizer.pad_token_id
    return _written(T5ForConditionalGeneration, config, tokenizer, folder)


def _written(
    kind: type[PreTrainedModel], config: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _word_pieces(words: Iterable[str]) -> PreTrainedTokenizerFast:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1) if not chr(code).isupper()]
    pieces = [f"##{letter}" for letter in letters if letter.isalnum()]
    whole = [word.lower() for word in words]
    known = dict.fromkeys([*special, *letters, *pieces, *"，。！？、；：“”《》（）", *_chinese(), *whole])
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(known)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    marks = [(mark, tokenizer.token_to_id(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=WINDOW,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def _chinese() -> list[str]:
    """The first level of GB 2312: rows 16 to 55, the last of which has 89 characters instead of 94."""
    last = {0xD7: 0xF9}
    return [
        bytes([row, cell]).decode("gb2312")
        for row in range(0xB0, 0xD8)
        for cell in range(0xA1, last.get(row, 0xFE) + 1)
    ]


def _bytes(end: str) -> PreTrainedTokenizerFast:
    """Byte-level pairs, as GPT-2's, learnt from a few words; `end` ends a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        min_frequency=1,
        show_progress=False,
        special_tokens=list(dict.fromkeys(["<pad>", "<|im_start|>", end])),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([f" {_SAID_OFTEN}"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=WINDOW, pad_token="<pad>", eos_token=end
    )
