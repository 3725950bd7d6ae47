#!/usr/bin/env bash
# The whole way with curl alone: text and a model in, features found, a steered text, everything out again.
#
#   api_tour.sh [ADDRESS] [FOLDER]     ADDRESS of a running server (make up), FOLDER for what comes out
#
# MODEL=/path/to/model   a Hugging Face folder or a .gguf file; by default the tests' small one (1.7 MB)
# MISTUDIO_TOKEN=…       where the server asks for a token
#
# Each request is shown as it is sent. Python reads fields out of the answers, nothing else.
set -euo pipefail

base=${1:-http://127.0.0.1:8000}/api/v1
out=${2:-$(mktemp -d)}
model_path=${MODEL:-$(cd "$(dirname "$0")/.." && pwd)/backend/tests/data/glass-en}
mkdir -p "$out"

# ── four helpers ────────────────────────────────────────────────────────────────────────────────

say() { printf '\n# %s\n' "$*" >&2; }

# call METHOD PATH [JSON]: the answer; a refusal ends the tour with its sentence.
call() {
  local method=$1 path=$2 body=${3:-} answer
  printf '%s %s %s\n' "$method" "$path" "$body" >&2
  answer=$(curl --silent --show-error --request "$method" "$base$path" \
    ${MISTUDIO_TOKEN:+--header "Authorization: Bearer $MISTUDIO_TOKEN"} \
    ${body:+--header 'Content-Type: application/json' --data "$body"})
  python3 -c 'import json, sys
answer = json.loads(sys.argv[1])
if "error" in answer: sys.exit("refused: " + answer["error"]["code"] + ": " + answer["error"]["message"])' "$answer"
  printf '%s' "$answer"
}

# download PATH FILE
download() {
  printf 'GET %s > %s\n' "$1" "$2" >&2
  curl --silent --show-error --fail --output "$out/$2" "$base$1" \
    ${MISTUDIO_TOKEN:+--header "Authorization: Bearer $MISTUDIO_TOKEN"}
}

# field NAME…: reads an answer and prints a field, such as  field data 0 id
field() {
  python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1:]: value = value[int(name) if isinstance(value, list) else name]
print("" if value is None else value)' "$@"
}

# finish JOB_ID: waits until a job has ended; prints the id of what it made.
finish() {
  local job state
  while true; do
    # Its request is not shown each time; when it is refused it is sent once more, and shown with the reason.
    job=$(call GET "/jobs/$1" 2>/dev/null) || job=$(call GET "/jobs/$1")
    state=$(field data state <<<"$job")
    case $state in
      succeeded) field data resource_id <<<"$job"; return ;;
      failed | cancelled | stopped) echo "job $1 $state: $(field data error_message <<<"$job")" >&2; exit 1 ;;
    esac
    sleep 1 # of the hundred requests a minute that a client of another machine has
  done
}

# ── the way ─────────────────────────────────────────────────────────────────────────────────────

say 'Is the server there?'
call GET /health | field data status

say 'A corpus: the documentation strings of the installed Python packages. Long work is answered with a job.'
job=$(call POST /datasets/import '{"builtin": "python-docs", "name": "tour", "max_documents": 80}' | field data job_id)
dataset=$(finish "$job")
call GET "/datasets/$dataset/stats" | field data n_documents

say 'A model from this machine.'
job=$(call POST /models/import "{\"path\": \"$model_path\", \"name\": \"tour\"}" | field data job_id)
model=$(finish "$job")
layers=$(call GET "/models/$model/architecture" | field data n_layers)
layer=$((layers / 2))

say 'Tokens: how the model cuts the text.'
job=$(call POST "/datasets/$dataset/tokenize" "{\"model_id\": \"$model\"}" | field data job_id)
finish "$job" >/dev/null

say "Activations: what layer $layer computes while the model reads. What would it take? Then do it."
body="{\"model_id\": \"$model\", \"dataset_id\": \"$dataset\", \"layers\": [$layer], \"max_tokens\": 40000}"
call POST /activations/estimate "$body" | field data message
job=$(call POST /activations/extract "$body" | field data job_id)
activation=$(finish "$job")

say 'A training. Asking twice with one Idempotency-Key would start one, too: see the document.'
created=$(call POST /trainings "{
  \"name\": \"tour\", \"model_id\": \"$model\", \"dataset_id\": \"$dataset\", \"activation_id\": \"$activation\",
  \"hyperparameters\": {\"training_steps\": 200, \"batch_size\": 512, \"k\": 16, \"expansion_factor\": 4}}")
training=$(field data training_id <<<"$created")
finish "$(field data job_id <<<"$created")" >/dev/null

say 'Its figures, measured on held-out documents.'
call GET "/trainings/$training" | python3 -c 'import json, sys
for figure in json.load(sys.stdin)["data"]["evaluation"]["figures"][:3]:
    print(figure["label"], round(figure["value"], 3), figure["unit"])'

say 'Discovery: what each of its latents is about.'
job=$(call POST /features/extract "{\"training_id\": \"$training\", \"examples_per_feature\": 10}" | field data job_id)
finish "$job" >/dev/null

say 'Browse: the strongest first, then one of them closely, and a name for it.'
features=$(call GET "/features?training_id=$training&sort_by=max_activation&limit=3")
feature=$(field data 0 id <<<"$features")
field data 0 top_token <<<"$features"
call GET "/features/$feature/logit-lens" | field data top 0 token
call PATCH "/features/$feature" '{"name": "found by the tour", "is_favorite": true}' | field data name

say 'Steer: the same prompt without and with the feature.'
steered=$(call POST /steering/generate "{
  \"model_id\": \"$model\", \"prompt\": \"The list of\", \"max_new_tokens\": 12,
  \"features\": [{\"id\": $feature, \"coefficient\": 2}]}")
without=$(field data unsteered_output text <<<"$steered")
with=$(field data steered_output text <<<"$steered")
printf 'without: %s\nwith:    %s\n' "$without" "$with"

say 'Take it away: the dictionary as a SAELens folder, the features as a Parquet bundle and as a table, the run.'
download "/saes/$training/export" dictionary.zip
job=$(call POST /features/exports "{\"training_id\": \"$training\", \"format\": \"parquet\"}" | field data job_id)
finish "$job" >/dev/null
download "/features/exports/$job/file" features.zip
download "/features/export?training_id=$training&format=csv" features.csv
run=$(call GET '/steering/runs?limit=1' | field data 0 id)
download "/steering/runs/$run/export?format=python" repeat.py

say "Done. Everything lies in $out"
