"""ViT-GPT2, Florence-2 and SmolVLM as the graphs that Transformers.js reads, for tiny checkpoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blip_graphs import LOWEST, attend, split_heads


def causal(before: int, length: int) -> tuple[Tensor, Tensor]:
    """Positions of the new tokens, and the mask (1, 1, T, P + T) that hides what comes later."""
    at = torch.arange(before, before + length)
    later = torch.arange(before + length)[None, :] > at[:, None]
    return at, later.to(torch.float32)[None, None] * LOWEST


class VitEncoder(nn.Module):
    """pixel_values -> last_hidden_state."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.encoder(pixel_values=pixel_values).last_hidden_state


class Gpt2Decoder(nn.Module):
    """input_ids, encoder_hidden_states, past keys and values -> logits, present keys and values."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.gpt2, self.head = model.decoder.transformer, model.decoder.lm_head

    def forward(self, input_ids: Tensor, encoder_hidden_states: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        at, mask = causal(past[0].shape[2], input_ids.shape[1])
        states = self.gpt2.wte(input_ids) + self.gpt2.wpe(at)[None]
        present: list[Tensor] = []
        for i, block in enumerate(self.gpt2.h):
            own, over, width = block.attn, block.crossattention, states.shape[-1]
            query, key, value = own.c_attn(block.ln_1(states)).split(width, 2)
            key = torch.cat([past[2 * i], split_heads(key, own.num_heads)], 2)
            value = torch.cat([past[2 * i + 1], split_heads(value, own.num_heads)], 2)
            present += [key, value]
            states = states + own.c_proj(attend(split_heads(query, own.num_heads), key, value, mask))
            query = split_heads(over.q_attn(block.ln_cross_attn(states)), over.num_heads)
            key, value = (split_heads(part, over.num_heads) for part in over.c_attn(encoder_hidden_states).split(width, 2))
            states = states + over.c_proj(attend(query, key, value, None))
            states = states + block.mlp(block.ln_2(states))
        return self.head(self.gpt2.ln_f(states)), *present


class FlorenceVision(nn.Module):
    """pixel_values -> image_features."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model.model

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.model.get_image_features(pixel_values).pooler_output


class Embed(nn.Module):
    """input_ids -> inputs_embeds."""

    def __init__(self, embedding: nn.Module):
        super().__init__()
        self.embedding = embedding

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.embedding(input_ids)


def bart_attention(attention: nn.Module, states: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    return attention.out_proj(attend(split_heads(attention.q_proj(states), attention.num_heads), key, value, mask))


class BartEncoder(nn.Module):
    """inputs_embeds, attention_mask -> last_hidden_state."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.encoder = model.model.language_model.encoder

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor) -> Tensor:
        positions = self.encoder.embed_positions.weight[2 : inputs_embeds.shape[1] + 2]
        states = self.encoder.layernorm_embedding(inputs_embeds + positions[None])
        mask = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * LOWEST
        for layer in self.encoder.layers:
            own = layer.self_attn
            key, value = split_heads(own.k_proj(states), own.num_heads), split_heads(own.v_proj(states), own.num_heads)
            states = layer.self_attn_layer_norm(states + bart_attention(own, states, key, value, mask))
            states = layer.final_layer_norm(states + layer.fc2(layer.activation_fn(layer.fc1(states))))
        return states


class BartDecoder(nn.Module):
    """
    inputs_embeds, encoder_hidden_states, encoder_attention_mask, past decoder keys and values -> logits, then for each
    layer present decoder key and value, encoder key and value. Cross keys are computed anew each time.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.decoder, self.head = model.model.language_model.decoder, model.lm_head

    def forward(
        self, inputs_embeds: Tensor, encoder_hidden_states: Tensor, encoder_attention_mask: Tensor, *past: Tensor
    ) -> tuple[Tensor, ...]:
        at, mask = causal(past[0].shape[2], inputs_embeds.shape[1])
        states = self.decoder.layernorm_embedding(inputs_embeds + self.decoder.embed_positions.weight[at + 2][None])
        seen = (1.0 - encoder_attention_mask[:, None, None, :].to(states.dtype)) * LOWEST
        present: list[Tensor] = []
        for i, layer in enumerate(self.decoder.layers):
            own, over = layer.self_attn, layer.encoder_attn
            key = torch.cat([past[2 * i], split_heads(own.k_proj(states), own.num_heads)], 2)
            value = torch.cat([past[2 * i + 1], split_heads(own.v_proj(states), own.num_heads)], 2)
            states = layer.self_attn_layer_norm(states + bart_attention(own, states, key, value, mask))
            cross = [split_heads(part(encoder_hidden_states), over.num_heads) for part in (over.k_proj, over.v_proj)]
            states = layer.encoder_attn_layer_norm(states + bart_attention(over, states, cross[0], cross[1], seen))
            states = layer.final_layer_norm(states + layer.fc2(layer.activation_fn(layer.fc1(states))))
            present += [key, value, *cross]
        return self.head(states), *present


class SmolVision(nn.Module):
    """pixel_values (1, N, 3, H, H), nothing of it padding -> image_features (N, places, dims)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.vision, self.connector = model.model.vision_model, model.model.connector

    def forward(self, pixel_values: Tensor) -> Tensor:
        embeddings = self.vision.embeddings
        states = embeddings.patch_embedding(pixel_values.flatten(0, 1)).flatten(2).transpose(1, 2)
        states = states + embeddings.position_embedding.weight[None]
        for layer in self.vision.encoder.layers:
            normed, own = layer.layer_norm1(states), layer.self_attn
            key, value = split_heads(own.k_proj(normed), own.num_heads), split_heads(own.v_proj(normed), own.num_heads)
            states = states + own.out_proj(attend(split_heads(own.q_proj(normed), own.num_heads), key, value, None))
            states = states + layer.mlp(layer.layer_norm2(states))
        return self.connector(self.vision.post_layernorm(states))


class LlamaDecoder(nn.Module):
    """inputs_embeds, position_ids, past keys and values (before their heads are shared) -> logits, present ones."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.llama, self.head = model.model.text_model, model.lm_head

    def forward(self, inputs_embeds: Tensor, position_ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        _, mask = causal(past[0].shape[2], inputs_embeds.shape[1])
        config = self.llama.config
        heads, shared = config.num_attention_heads, config.num_key_value_heads
        cos, sin = (part[:, None] for part in self.llama.rotary_emb(inputs_embeds, position_ids))

        def turned(states: Tensor) -> Tensor:
            left, right = states.chunk(2, -1)
            return states * cos + torch.cat([-right, left], -1) * sin

        states, present = inputs_embeds, []
        for i, layer in enumerate(self.llama.layers):
            normed, own = layer.input_layernorm(states), layer.self_attn
            key = torch.cat([past[2 * i], turned(split_heads(own.k_proj(normed), shared))], 2)
            value = torch.cat([past[2 * i + 1], split_heads(own.v_proj(normed), shared)], 2)
            present += [key, value]
            wide = [part.repeat_interleave(heads // shared, 1) for part in (key, value)]
            states = states + own.o_proj(attend(turned(split_heads(own.q_proj(normed), heads)), wide[0], wide[1], mask))
            states = states + layer.mlp(layer.post_attention_layernorm(states))
        return self.head(self.llama.norm(states)), *present
