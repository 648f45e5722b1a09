"""BLIP as graphs with an explicit cache: a decoder over past keys and values, and what gives it its cross-attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LOWEST = torch.finfo(torch.float32).min


def split_heads(states: Tensor, heads: int) -> Tensor:
    """(B, T, H * Dh) -> (B, H, T, Dh)."""
    batch, length, width = states.shape
    return states.view(batch, length, heads, width // heads).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention over heads, back as (B, T, H * Dh). Keys of one photo serve every row of the batch."""
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores + mask
    mixed = scores.softmax(-1) @ value
    return mixed.transpose(1, 2).flatten(2)


class CrossKeys(nn.Module):
    """Keys and values of every cross-attention layer of a text decoder, from the states that it attends to."""

    def __init__(self, text_decoder: nn.Module):
        super().__init__()
        layers = text_decoder.bert.encoder.layer
        self.attentions = nn.ModuleList([layer.crossattention.self for layer in layers])

    def forward(self, states: Tensor) -> tuple[Tensor, ...]:
        found: list[Tensor] = []
        for attention in self.attentions:
            heads = attention.num_attention_heads
            found += [split_heads(attention.key(states), heads), split_heads(attention.value(states), heads)]
        return tuple(found)


class CaptionEncoder(nn.Module):
    """pixel_values (B, 3, H, W) -> cross keys and values."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.vision, self.cross = model.vision_model, CrossKeys(model.text_decoder)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        return self.cross(self.vision(pixel_values=pixel_values).last_hidden_state)


class Vision(nn.Module):
    """pixel_values (B, 3, H, W) -> image_embeds (B, S, D)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.vision = model.vision_model

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.vision(pixel_values=pixel_values).last_hidden_state


class Question(nn.Module):
    """A question read beside the photo -> cross keys and values of the answer decoder."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.bert, self.cross = model.text_encoder, CrossKeys(model.text_decoder)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, image_embeds: Tensor) -> tuple[Tensor, ...]:
        states = self.bert.embeddings(input_ids=input_ids)
        mask = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * LOWEST
        for layer in self.bert.encoder.layer:
            own, over = layer.attention.self, layer.crossattention.self
            heads = own.num_attention_heads
            key, value = split_heads(own.key(states), heads), split_heads(own.value(states), heads)
            mixed = attend(split_heads(own.query(states), heads), key, value, mask)
            states = layer.attention.output(mixed, states)
            key, value = split_heads(over.key(image_embeds), heads), split_heads(over.value(image_embeds), heads)
            mixed = attend(split_heads(over.query(states), heads), key, value, None)
            states = layer.crossattention.output(mixed, states)
            states = layer.feed_forward_chunk(states)
        return self.cross(states)


class Decoder(nn.Module):
    """
    input_ids (B, T), then past key and value (B, H, P, Dh) of each layer, then cross key and value (B or 1, H, S, Dh)
    of each layer -> logits (B, T, V), then present key and value (B, H, P + T, Dh) of each layer.
    """

    def __init__(self, text_decoder: nn.Module):
        super().__init__()
        self.bert, self.head = text_decoder.bert, text_decoder.cls.predictions
        self.layers = len(self.bert.encoder.layer)

    def forward(self, input_ids: Tensor, *cache: Tensor) -> tuple[Tensor, ...]:
        past, cross = cache[: 2 * self.layers], cache[2 * self.layers :]
        before, length = past[0].shape[2], input_ids.shape[1]
        at = torch.arange(before, before + length)
        embeddings = self.bert.embeddings
        # HF adds in place, which a trace doesn't survive.
        states = embeddings.LayerNorm(embeddings.word_embeddings(input_ids) + embeddings.position_embeddings(at)[None])
        later = torch.arange(before + length)[None, :] > at[:, None]
        mask = later.to(states.dtype)[None, None] * LOWEST
        present: list[Tensor] = []
        for i, layer in enumerate(self.bert.encoder.layer):
            own, over = layer.attention.self, layer.crossattention.self
            heads = own.num_attention_heads
            key = torch.cat([past[2 * i], split_heads(own.key(states), heads)], 2)
            value = torch.cat([past[2 * i + 1], split_heads(own.value(states), heads)], 2)
            present += [key, value]
            mixed = attend(split_heads(own.query(states), heads), key, value, mask)
            states = layer.attention.output(mixed, states)
            mixed = attend(split_heads(over.query(states), heads), cross[2 * i], cross[2 * i + 1], None)
            states = layer.crossattention.output(mixed, states)
            states = layer.feed_forward_chunk(states)
        return self.head(states), *present
