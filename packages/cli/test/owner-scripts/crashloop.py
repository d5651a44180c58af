#!/usr/bin/env python3
import subprocess
import json

def get_crashloop_pods():
    result = subprocess.run(
        ["kubectl", "get", "pods", "-A", "-o", "json"],
        capture_output=True, text=True
    )
    pods = json.loads(result.stdout)["items"]
    return [p for p in pods if "CrashLoopBackOff" in str(p.get("status", {}))]

def restart_deployment(namespace, deployment):
    subprocess.run(["kubectl", "rollout", "restart", f"deployment/{deployment}", "-n", namespace])

def main():
    crashloop_pods = get_crashloop_pods()
    deployments = set((p["metadata"]["namespace"], p["metadata"]["labels"].get("app"))
                      for p in crashloop_pods)

    for ns, deploy in deployments:
        if deploy:
            restart_deployment(ns, deploy)

    print(f"Restarted {len(deployments)} deployments for {len(crashloop_pods)} crashed pods")

main()
