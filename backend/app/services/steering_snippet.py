"""The program that repeats a steered text with torch and transformers alone."""

SNIPPET = '''"""Repeats one steered text: python steer.py MODEL_FOLDER_OR_NAME

Made by MechInterp Studio; needs torch and transformers, nothing else.
"""

import base64
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

RUN = json.loads(@RUN@)
SETTINGS = RUN["settings"]
SPECIAL, ENDS = set(RUN["special_ids"]), set(RUN["end_ids"])


def load(name):
    dtype = getattr(torch, RUN["dtype"])
    model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype).eval()
    return model, AutoTokenizer.from_pretrained(name)


def vector(edit):
    return torch.frombuffer(bytearray(base64.b64decode(edit["direction"])), dtype=torch.float32)


def delta(edits, states):
    """What all edits at one place add to its states (tokens, width), as they were before."""
    total = torch.zeros_like(states)
    for edit in edits:
        if edit["method"] == "add":
            total += edit["amount"] * vector(edit)
        elif edit["method"] == "share":
            unit = vector(edit) / vector(edit).norm()
            total += edit["amount"] * states.norm(dim=1, keepdim=True) * unit
    projected = [edit for edit in edits if edit["method"] == "project"]
    if projected:
        units = torch.stack([vector(edit) / vector(edit).norm() for edit in projected])
        factors = torch.tensor([edit["amount"] - 1 for edit in projected])
        total += (states @ torch.linalg.pinv(units) * factors) @ units
    return total


def add_hooks(model, mask):
    """Steer where ``mask[0]`` (one bool per token of the coming pass) says so."""
    places = {}
    for edit in RUN["edits"]:
        where = edit["module"], edit["reads_input"], edit["in_place"]
        places.setdefault(where, []).append(edit)
    for (name, reads_input, in_place), edits in places.items():

        def steer(value, edits=edits):
            chosen = torch.tensor(mask[0])
            if not chosen.any():
                return value
            changed = value.clone()
            states = value[0, chosen].float()
            changed[0, chosen] = (states + delta(edits, states)).to(value.dtype)
            return changed

        def after(module, inputs, output, steer=steer):
            if isinstance(output, tuple):
                return (steer(output[0]), *output[1:])
            return steer(output)

        def before(module, inputs, steer=steer, in_place=in_place):
            if in_place:  # the block adds to this very tensor once the module is done
                inputs[0].copy_(steer(inputs[0]))
                return inputs
            return (steer(inputs[0]), *inputs[1:])

        module = model.get_submodule(name)
        if reads_input:
            module.register_forward_pre_hook(before)
        else:
            module.register_forward_hook(after)


def choose(logits, seen, random):
    penalty, temperature = SETTINGS["repetition_penalty"], SETTINGS["temperature"]
    if penalty != 1 and seen:
        ids = torch.tensor(sorted(set(seen)))
        values = logits[ids]
        logits[ids] = torch.where(values > 0, values / penalty, values * penalty)
    draw = torch.rand((), generator=random, dtype=torch.float64).item()
    if temperature == 0:
        return int(logits.argmax())
    scaled = logits.double() / temperature
    if SETTINGS["top_k"]:
        smallest = scaled.topk(min(SETTINGS["top_k"], len(scaled))).values[-1]
        scaled = scaled.masked_fill(scaled < smallest, float("-inf"))
    share = torch.softmax(scaled, dim=0)
    if SETTINGS["top_p"] < 1:
        ordered, order = share.sort(descending=True, stable=True)
        before = torch.cumsum(ordered, 0) - ordered
        share[order[before >= SETTINGS["top_p"]]] = 0
        share = share / share.sum()
    else:
        share = share / share.sum()
    cumulative = torch.cumsum(share, 0)
    place = int(torch.searchsorted(cumulative, draw * cumulative[-1].item(), right=True))
    return min(place, int(share.nonzero()[-1]))


def steers(position, token):
    if not SETTINGS["steer_generated"]:
        return False
    if SETTINGS["positions"] and position not in SETTINGS["positions"]:
        return False
    window, tokens = SETTINGS.get("window"), SETTINGS.get("token_ids")
    if window and not window[0] <= position <= window[1]:
        return False
    if tokens and token not in tokens:
        return False
    return not SETTINGS["exclude_special"] or (position > 0 and token not in SPECIAL)


@torch.inference_mode()
def generate(model, tokenizer):
    random = torch.Generator().manual_seed(SETTINGS["seed"])
    ids, made, cache = list(RUN["prompt_ids"]), [], None
    new, mask = ids, [RUN["prompt_steered"]]
    add_hooks(model, mask)
    while len(made) < SETTINGS["max_new_tokens"]:
        output = model(torch.tensor([new]), past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        token = choose(output.logits[0, -1].float().clone(), ids, random)
        ids.append(token)
        made.append(token)
        if token in ENDS or any(word in tokenizer.decode(made) for word in SETTINGS["stop"]):
            break
        new, mask[0] = [token], [steers(len(ids) - 1, token)]
    return made


if __name__ == "__main__":
    model, tokenizer = load(sys.argv[1])
    made = generate(model, tokenizer)
    print(tokenizer.decode(made, skip_special_tokens=True))
    same = made == RUN["expected_ids"]
    print("identical to the run" if same else "differs from the run", file=sys.stderr)
'''
