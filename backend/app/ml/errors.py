"""What can go wrong inside the core, as facts; the task edge turns them into stored codes."""


class MlError(Exception):
    """Base of every failure that the core raises on purpose; the text is one helpful sentence."""


class Stopped(MlError):
    """``should_stop`` answered yes; everything written so far can be resumed."""


class OutOfMemory(MlError):
    """The device could not hold what was asked of it."""


class ModelFormatError(MlError):
    """A model folder or file that cannot be read, and what to do about it."""


class HookPointNotFound(MlError):
    """The layer or the place inside it does not exist in this model."""


class CorpusEmpty(MlError):
    """No document held any text."""


class StoreInvalid(MlError):
    """A token or activation store is missing, truncated or altered."""


class InvalidActivations(MlError):
    """Activations with NaN or infinity, or of another width than the dictionary's."""


class TrainingDiverged(MlError):
    """The loss became NaN or infinite although the activations are sound."""


class CheckpointInvalid(MlError):
    """A checkpoint whose files are missing, truncated or altered."""


class CheckpointMismatch(MlError):
    """A sound checkpoint that belongs to another run, width or configuration."""


class SaeFormatError(MlError):
    """A dictionary of another library that cannot be read, and what to do about it."""


class ParityFailed(MlError):
    """A converted dictionary that differs from its source, or explains nothing of the model."""


class SteeringInvalid(MlError):
    """A direction, layer or prompt with which steering would mean nothing."""


class NoEffect(SteeringInvalid):
    """Not a single position would be steered: refused instead of silently doing nothing."""


class TextInvalid(MlError):
    """A text that is empty, too long or otherwise not to be read by the model."""
