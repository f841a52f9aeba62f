#!/usr/bin/env python3
"""Exit status 0 if a daemon's status shows that nothing of any registration is left."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    status = json.load(f)
left = {
    "P-CSCF " + key: status["pcscf"][key] for key in ("registered", "pending", "sets", "transactions")
}
left["S-CSCF registered"] = status["scscf"]["registered"]
left["S-CSCF pending"] = status["scscf"]["pending"]
left["data plane sets"] = status["dataplane"]["sa_sets_in_use"]
left["timers"] = status["timers"]
left = {key: value for key, value in left.items() if value}
if left:
    print(left)
sys.exit(1 if left else 0)
