#!/usr/bin/env bash
# What each container took of its memory limit, and what all limits are together. Fails where the kernel
# ended a process for want of memory, and where a container has no limit.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0 sum=0
# Both versions of control groups; the peak counts pages of files, too, which the kernel gives up on demand.
# shellcheck disable=SC2016  # the container's shell expands it
figures='
g=/sys/fs/cgroup peak=memory.peak ended=memory.events
[ -d $g/memory ] && g=$g/memory peak=memory.max_usage_in_bytes ended=memory.oom_control
cat $g/$peak
awk "/^oom_kill /{print \$2}" $g/$ended
awk "/^(anon|shmem|total_rss|total_shmem) /{s += \$2} END {printf \"%.0f\n\", s}" $g/memory.stat'
printf '%-18s %9s %9s %9s  (MB)\n' container limit 'peak' 'now'
for id in $(scripts/containers.sh compose ps --quiet); do
  read -r name limit ended < <(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.HostConfig.Memory}} {{.State.OOMKilled}}' "$id")
  mapfile -t found < <(docker exec "$id" sh -c "$figures")
  printf '%-18s %9d %9d %9d\n' "$name" $((limit >> 20)) $((found[0] >> 20)) $((found[2] >> 20))
  sum=$((sum + limit))
  if [[ $ended == true || ${found[1]} != 0 ]]; then echo "  The kernel ended a process of $name."; failed=1; fi
  ((limit)) || { echo "  $name has no limit."; failed=1; }
done
printf '%-18s %9d\n' together $((sum >> 20))
exit "$failed"
