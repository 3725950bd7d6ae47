"""The program that repeats a steered text with torch and transformers alone."""

SNIPPET = '''"""Repeats one steered text: python steer.py MODEL_FOLDER_OR_NAME

Made by MechInterp Studio; needs torch and transformers, and bitsandbytes for 8 or 4 bits.
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
    """Load the model as the run had it, on the kind of device that it ran on if there is one."""
    dtype, bits = getattr(torch, RUN["dtype"]), RUN["quantization"]
    device = "cuda" if RUN["device"].startswith("cuda") and torch.cuda.is_available() else "cpu"
    options = {}
    if bits in ("Q8", "Q4"):
        from transformers import BitsAndBytesConfig

        torch.compiler.set_stance("force_eager")
        eight, four = {"load_in_8bit": True}, {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
        four["bnb_4bit_compute_dtype"] = dtype
        config = BitsAndBytesConfig(**(eight if bits == "Q8" else four))
        options = {"quantization_config": config, "device_map": {"": device}}
    model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, **options).eval()
    for module in model.modules():
        if device == "cpu" and hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # its kernel would round to bfloat16
    return model if options else model.to(device), AutoTokenizer.from_pretrained(name)


def vector(edit, states):
    values = torch.frombuffer(bytearray(base64.b64decode(edit["direction"])), dtype=torch.float32)
    return values.to(states.device)


def delta(edits, states):
    """What all edits at one place add to its states (tokens, width), as they were before."""
    total = torch.zeros_like(states)
    for edit in edits:
        if edit["method"] == "add":
            total += edit["amount"] * vector(edit, states)
        elif edit["method"] == "share":
            unit = vector(edit, states) / vector(edit, states).norm()
            total += edit["amount"] * states.norm(dim=1, keepdim=True) * unit
    projected = [edit for edit in edits if edit["method"] == "project"]
    if projected:
        vectors = [vector(edit, states) for edit in projected]
        units = torch.stack([vector / vector.norm() for vector in vectors])
        factors = torch.tensor([edit["amount"] - 1 for edit in projected], device=states.device)
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
            chosen = chosen.to(value.device)
            changed = value.reshape(-1, value.shape[-1]).clone()  # some blocks have no batch here
            states = changed[chosen].float()
            changed[chosen] = (states + delta(edits, states)).to(value.dtype)
            return changed.reshape(value.shape)

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
        ids_now = torch.tensor([new], device=model.device)
        output = model(ids_now, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        token = choose(output.logits[0, -1].float().cpu().clone(), ids, random)
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
    where = f"{RUN['device']} with torch {RUN['torch']} and transformers {RUN['transformers']}"
    print("identical to the run" if same else f"differs from the run on {where}", file=sys.stderr)
'''
