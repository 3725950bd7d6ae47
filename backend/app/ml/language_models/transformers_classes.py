"""The classes of transformers that load models, without hqq in their wake.

transformers imports hqq wherever it is installed, for a cache that nothing here uses: 1.8 of the
9.2 seconds of CPU time that a process needed before its first model was loaded. Whoever needs hqq
imports it (``two_bits``). Import the classes from here and nowhere else.

The base of all models is imported at once: the first model would do so anyway, and a process whose
copies run jobs does it for all of them.
"""

import transformers.utils

setattr(transformers.utils, "is_hqq_available", lambda *_: False)  # noqa: B010

import transformers.modeling_utils  # noqa: E402
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer  # noqa: E402

__all__ = ["AutoModel", "AutoModelForCausalLM", "AutoTokenizer"]
