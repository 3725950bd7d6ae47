"""Asks everything of a running stack that can be asked, once, in the order of real work."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow
import pyarrow.parquet
import socketio

from app.core.enums import ErrorCode
from app.schemas.events import TrainingError, TrainingErrorData
from app.websocket.server import SOCKET_PATH
from tests.examples.recorder import Recorder
from tests.fixtures.stack import GLASS_EN, Stack

TAG_OF_EVENTS = "live updates"
EVENTS = (
    "job.updated", "training.progress", "training.completed", "extraction.progress",
    "steering.started", "steering.tokens",
)  # fmt: skip
KEY = {"Idempotency-Key": "3f0f5e7e-5d0c-4c51-9d0c-6f1c3b0f8a11"}
RUN_ID = "0f3d3c1e-7a57-4a3a-8a44-5a3b1f6d2c90"
FAST = {"batch_size": 512, "k": 16, "expansion_factor": 4, "log_every": 10, "checkpoint_every": 50}
PROMPT = "The list of files is"
CHAT_TEMPLATE = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"


class Journey:
    """One method for each part of the way; what later parts need is kept."""

    def __init__(self, stack: Stack, recorder: Recorder, folder: Path) -> None:
        self.stack = stack
        self.recorder = recorder
        self.folder = folder
        self.socket = socketio.Client(reconnection=False)
        self.model_id = self.dataset_id = self.activation_id = self.training_id = ""

    def walk(self) -> None:
        self._listen("jobs")
        self._system()
        self._datasets()
        self._models()
        self._tokens()
        self._activations()
        self._trainings()
        self._saes()
        self._features()
        self._steering()
        self._templates()
        self._workflows_and_jobs()
        self._deletions()
        self._failure()
        self.socket.disconnect()

    def _listen(self, room: str) -> None:
        if not self.socket.connected:
            for name in EVENTS:
                self.socket.on(name, lambda data, n=name: self.recorder.add(TAG_OF_EVENTS, n, data))
            base = str(self.stack.client.base_url).removesuffix("/api/v1/")
            self.socket.connect(base, transports=["websocket"], socketio_path=SOCKET_PATH)
        assert self.socket.call("subscribe", {"room": room})["ok"]

    def _system(self) -> None:
        for path in ("/health", "/health/ready", "/health/live", "/system/info"):
            self.stack.get(path)

    def _datasets(self) -> None:
        body = {"builtin": "python-docs", "name": "python-docs", "max_documents": 80}
        self.dataset_id = self.stack.succeed(self.stack.post("/datasets/import", body))
        table = pyarrow.table({"text": ["A small tale.", "Another one."]})
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(table, buffer)
        self.stack.hub.add(
            "datasets", "roneneldan/TinyStories", {"data/train-00000.parquet": buffer.getvalue()}
        )
        download = {"repo_id": "roneneldan/TinyStories", "split": "train"}
        self.downloaded_id = self.stack.succeed(self.stack.post("/datasets/download", download))
        files = {"file": ("tale.txt", b"Once upon a time. " * 20)}
        upload = self.stack.call("POST", "/datasets/upload", files=files, data={"name": "tale"})
        self.uploaded_id = self.stack.succeed(upload)
        self._form("datasets", "upload_dataset", {"file": "tale.txt", "name": "tale"})
        for part in ("", "/samples", "/stats"):
            self.stack.get(f"/datasets/{self.dataset_id}{part}")
        self.stack.get("/datasets?status=ready&limit=2")

    def _models(self) -> None:
        body = {"path": str(GLASS_EN), "name": "glass-en"}
        self.model_id = self.stack.succeed(self.stack.post("/models/import", body))
        files = {path.name: path.read_bytes() for path in GLASS_EN.iterdir() if path.is_file()}
        self.stack.hub.add("models", "EleutherAI/pythia-70m", files)
        download = {"repo_id": "EleutherAI/pythia-70m", "quantization": "FP16"}
        self.spare_model_id = self.stack.succeed(self.stack.post("/models/download", download))
        self.chat_model_id = self._chat_model()
        self.stack.get("/models?limit=2")
        self.stack.get(f"/models/{self.model_id}")
        self.stack.get(f"/models/{self.model_id}/architecture")
        self.stack.post(f"/models/{self.model_id}/tokenize", {"text": " cat", "token_ids": [3, 40]})

    def _chat_model(self) -> str:
        """The same model with a template: what can be asked to write labels."""
        folder = self.folder / "glass-writer"
        shutil.copytree(GLASS_EN, folder)
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["chat_template"] = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        body = {"path": str(folder), "name": "glass-writer"}
        return self.stack.succeed(self.stack.post("/models/import", body))

    def _tokens(self) -> None:
        path = f"/datasets/{self.dataset_id}"
        preview = {"model_id": self.model_id, "text": "A list of files."}
        self.stack.post(f"{path}/tokenize-preview", preview)
        self.stack.succeed(self.stack.post(f"{path}/tokenize", {"model_id": self.model_id}))
        self.stack.get(f"{path}/tokenizations")

    def _activations(self) -> None:
        ids = {"model_id": self.model_id, "dataset_id": self.dataset_id}
        body = {**ids, "layers": [2], "max_tokens": 40_000}
        self.stack.post("/activations/estimate", body)
        accepted = self.stack.post("/activations/extract", body)
        self._listen(f"extraction:{accepted['resource_id']}")
        self.activation_id = self.stack.succeed(accepted)
        self.stack.get(f"/activations/{self.activation_id}")
        self.stack.get("/activations?limit=2")
        small = {**ids, "layers": [1], "max_tokens": 4_000}
        self.spare_activation_id = self.stack.succeed(
            self.stack.post("/activations/extract", small)
        )

    def _trainings(self) -> None:
        body = {
            "name": "glass, 4x, k 16",
            "model_id": self.model_id,
            "dataset_id": self.dataset_id,
            "activation_id": self.activation_id,
            "hyperparameters": {**FAST, "training_steps": 2_000},
        }
        self.stack.post("/trainings/estimate", body)
        created = self.stack.post("/trainings", body)
        self.training_id = created["training_id"]
        path = f"/trainings/{self.training_id}"
        self._listen(f"training:{self.training_id}")
        self._reach(path, 60)
        self.stack.post(f"{path}/checkpoints")  # its job is the training's own
        self.stack.post(f"{path}/pause")
        self.stack.wait_until(path, lambda t: t["status"] == "paused")
        checkpoints = self.stack.get(f"{path}/checkpoints")
        self.stack.call("DELETE", f"{path}/checkpoints/{checkpoints[-1]['id']}")
        self.stack.post(f"{path}/checkpoints/{checkpoints[0]['id']}/load")
        self.stack.finish(created["job_id"])
        self.stack.get(path)
        self.stack.get(f"{path}/metrics?max_points=100")
        self.stack.get("/trainings?status=completed")
        variants = [{"hyperparameters": {"k": k}} for k in (8, 32)]
        grid = {**body, "name": "grid", "variants": variants}
        grid["hyperparameters"] = {**FAST, "training_steps": 100}
        self.stack.post("/trainings/grid/estimate", grid)
        self.stack.finish(self.stack.post("/trainings/grid", grid)["job_id"])
        self._stop_and_resume(body)

    def _stop_and_resume(self, body: dict[str, Any]) -> None:
        longer = {"name": "to be stopped", "hyperparameters": {**FAST, "training_steps": 20_000}}
        created = self.stack.post("/trainings", {**body, **longer})
        path = f"/trainings/{created['training_id']}"
        self._reach(path, 60)
        self.stack.post(f"{path}/pause")
        self.stack.wait_until(path, lambda t: t["status"] == "paused")
        self.stack.post(f"{path}/resume")
        self._reach(path, 120)
        self.stack.post(f"{path}/stop")
        self.stack.finish(created["job_id"])
        self.spare_training_id = created["training_id"]

    def _reach(self, path: str, step: int) -> None:
        self.stack.wait_until(path, lambda t: t["current_step"] >= step)

    def _saes(self) -> None:
        self.stack.get("/saes?limit=2")
        self.stack.get(f"/saes/{self.training_id}")
        archive = self.stack.client.get(f"/saes/{self.training_id}/export")
        folder = self.folder / "glass-l2"
        zipfile.ZipFile(io.BytesIO(archive.content)).extractall(folder)
        config = next(folder.rglob("cfg.json"))
        place = {"model_id": self.model_id, "activation_id": self.activation_id}
        imported = self.stack.post("/saes/import", {**place, "path": str(config.parent)})
        self.imported_id = self.stack.succeed(imported)
        files = {path.name: path.read_bytes() for path in config.parent.iterdir()}
        self.stack.hub.add("models", "org/glass-saes", {f"l2/{n}": d for n, d in files.items()})
        download = {**place, "repo_id": "org/glass-saes", "subfolder": "l2"}
        self.downloaded_sae_id = self.stack.succeed(self.stack.post("/saes/download", download))

    def _features(self) -> None:
        body = {"training_id": self.training_id, "examples_per_feature": 20}
        self.stack.succeed(self.stack.post("/features/extract", body))
        rows = self.stack.get(
            "/features",
            params={"training_id": self.training_id, "limit": 2, "sort_by": "activation"},
        )
        self.feature_id = rows[0]["id"]
        path = f"/features/{self.feature_id}"
        change = {"name": "lists", "is_favorite": True, "tags": ["syntax"]}
        self.stack.call("PATCH", path, json=change)
        for part in (
            "", "/history", "/activations?top_k=3", "/intervals", "/histogram", "/logit-lens",
            "/correlations", "/neighbours", "/ablation?contexts=2",
        ):  # fmt: skip
            self.stack.get(f"{path}{part}")
        self.stack.post(f"{path}/undo")
        probe = {"training_id": self.training_id, "text": "A list of files.", "top_k": 2}
        self.stack.post("/features/probe", probe)
        self.stack.get("/features/map", params={"training_id": self.training_id})
        self.stack.get("/features/map/packed", params={"training_id": self.training_id})
        self._exchange()

    def _exchange(self) -> None:
        few = ["neuron_index:0:4"]
        self.stack.client.get("/features/export", params={"training_id": self.training_id})
        body = {"training_id": self.training_id, "format": "parquet", "ranges": few}
        export = self.stack.post("/features/exports", body)
        self.stack.finish(export["job_id"])
        self.stack.get("/features/exports", params={"training_id": self.training_id})
        file = self.stack.client.get(f"/features/exports/{export['job_id']}/file").content
        fields = {"training_id": self.training_id}
        files = {"file": ("features.parquet.zip", file)}
        upload = self.stack.call("POST", "/features/upload", files=files, data=fields)
        self.stack.finish(upload["job_id"])
        self._form("features", "upload_features", {"file": "features.parquet.zip", **fields})
        self.stack.finish(self.stack.post("/features/score", fields)["job_id"])
        self.stack.get("/features/label-writers")
        labels = {**fields, "model_id": self.chat_model_id, "limit": 2, "contexts": 2}
        self.stack.finish(self.stack.post("/features/labels", labels)["job_id"])
        self._labels()
        audit = {"training_id": self.training_id, "examples": 20}
        job = self.stack.finish(self.stack.post("/features/audit", audit)["job_id"])
        assert (job["result"]["n_checked"], job["result"]["wrong"]) == (20, []), job

    def _labels(self) -> None:
        """A model of this size can be asked once it has a template, and answers nonsense."""
        copy = self.folder / "glass-chat"
        shutil.copytree(GLASS_EN, copy)
        (copy / "chat_template.jinja").write_text(CHAT_TEMPLATE)
        body = {"path": str(copy), "name": "glass-chat"}
        model_id = self.stack.succeed(self.stack.post("/models/import", body))
        self.stack.get("/features/label-writers")
        asked = {"training_id": self.training_id, "model_id": model_id, "limit": 3}
        job = self.stack.finish(self.stack.post("/features/labels", asked)["job_id"])
        assert job["result"]["n_asked"] == 3, job

    def _form(self, tag: str, operation: str, fields: dict[str, Any]) -> None:
        """The fields of a form, which the recorder does not read out of the multipart body."""
        self.recorder.recorded[tag][operation]["request"] = fields

    def _failure(self) -> None:
        """The one event that a good run does not send."""
        error = TrainingErrorData(
            training_id=UUID(self.training_id),
            code=ErrorCode.GPU_OOM,
            message="The GPU has no memory left for this. Take a smaller batch.",
        )
        event = TrainingError(seq=7_000_000, error=error)
        self.recorder.add(TAG_OF_EVENTS, event.name, event.model_dump(mode="json"))

    def _steering(self) -> None:
        feature = {"id": self.feature_id, "coefficient": 2.0}
        body = {
            "model_id": self.model_id, "prompt": PROMPT, "features": [feature],
            "max_new_tokens": 8, "run_id": RUN_ID, "mode": "reconstruction",
        }  # fmt: skip
        self._listen(f"job:{RUN_ID}")
        self.stack.post("/steering/generate", body)
        run = self.stack.get("/steering/runs")[0]
        path = f"/steering/runs/{run['id']}"
        self.stack.get(path)
        self.stack.post(f"{path}/replay")
        self.stack.client.get(f"{path}/export")
        self.stack.call("DELETE", path)
        sweep = {
            "model_id": self.model_id, "prompts": [PROMPT, "We shall see"],
            "features": [{"id": self.feature_id}], "max_new_tokens": 4, "strengths": [1.0, 2.0],
            "controls": [],
        }  # fmt: skip
        accepted = self.stack.post("/steering/sweep", sweep)
        self.stack.finish(accepted["job_id"])
        self.stack.get("/steering/sweeps")
        self.stack.get(f"/steering/sweeps/{accepted['job_id']}")
        self.stack.call("DELETE", f"/steering/sweeps/{accepted['job_id']}")
        self._presets()

    def _presets(self) -> None:
        body = {
            "training_id": self.training_id, "name": "more lists", "intervention_layer": 2,
            "features": [{"feature_id": self.feature_id, "coefficient": 2.0}],
            "condition": {"feature_id": self.feature_id, "threshold": 1.5},
            "settings": {"max_new_tokens": 80, "top_p": 0.9, "stop": ["\n\n"]},
        }  # fmt: skip
        preset = self.stack.post("/steering/presets", body)
        path = f"/steering/presets/{preset['id']}"
        self.stack.get("/steering/presets", params={"training_id": self.training_id})
        self.stack.get(path)
        self.stack.call("PUT", path, json=body | {"is_favorite": True})
        self.stack.call("DELETE", path)

    def _templates(self) -> None:
        kinds = {
            "training": {"name": "glass_4x", "hyperparameters": FAST},
            "extraction": {"name": "middle layers", "layers": [1, 2], "hook_types": ["residual"]},
        }
        made = []
        for kind, body in kinds.items():
            template = self.stack.post(f"/templates/{kind}", body)
            path = f"/templates/{kind}/{template['id']}"
            made.append(path)
            self.stack.get(f"/templates/{kind}")
            self.stack.get(path)
            self.stack.call("PUT", path, json=body)
            self.stack.call("PATCH", path, json={"is_favorite": True})
        bundle = self.stack.client.get("/templates/export").json()
        self.stack.post("/templates/import", bundle)
        for path in made:
            self.stack.call("DELETE", path)

    def _workflows_and_jobs(self) -> None:
        body = {
            "name": "one more", "model_id": self.model_id, "dataset_id": self.dataset_id,
            "activation_id": self.activation_id, "discover": {"examples_per_feature": 5},
            "train": {"hyperparameters": {**FAST, "training_steps": 50_000}},
        }  # fmt: skip
        workflow = self.stack.post("/workflows", body)
        path = f"/workflows/{workflow['id']}"
        job_id = self.stack.get(path)["steps"][0]["id"]
        self.stack.wait_until(f"/jobs/{job_id}", lambda job: job["state"] == "running")
        self.stack.post(f"/jobs/{job_id}/pause")
        self.stack.wait_until(f"/jobs/{job_id}", lambda job: job["state"] == "paused")
        self.stack.post(f"/jobs/{job_id}/resume")
        self.stack.post(f"{path}/pause")
        self.stack.post(f"{path}/resume")
        self.stack.post(f"{path}/cancel")
        self.stack.wait_until(path, lambda found: found["state"] == "cancelled")
        self.stack.post(f"{path}/retry")
        self.stack.post(f"{path}/cancel")
        self.stack.wait_until(path, lambda found: found["state"] == "cancelled")
        self.stack.get("/workflows?limit=1")
        self.stack.get("/jobs?limit=2")
        steps = self.stack.get(path)["steps"]
        retried = self.stack.post(f"/jobs/{steps[0]['id']}/retry")
        self.stack.post(f"/jobs/{retried['id']}/cancel")
        self.stack.finish(retried["id"])
        self.stack.get(f"/jobs/{job_id}/log?lines=5")

    def _deletions(self) -> None:
        paths = (
            f"/trainings/{self.spare_training_id}", f"/saes/{self.downloaded_sae_id}",
            f"/activations/{self.spare_activation_id}", f"/datasets/{self.uploaded_id}",
            f"/models/{self.spare_model_id}",
        )  # fmt: skip
        for path in paths:
            self.stack.finish(self.stack.call("DELETE", path)["job_id"])
