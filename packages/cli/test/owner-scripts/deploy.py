#!/usr/bin/env python3
def main():
    # Step 1: Deploy
    deploy_result = kubectl_apply("deployment.yaml")
    if not deploy_result.success:
        print(f"Deploy failed: {deploy_result.error}")
        return

    # Step 2: Wait and verify
    time.sleep(30)
    health = check_health("/health", retries=3)

    # Step 3: Rollback if unhealthy
    if not health.ok:
        rollback_result = kubectl_rollback("deployment")
        print(f"Rolled back due to health check failure: {health.error}")
    else:
        print(f"Deployment successful. Health: {health.status}")

main()
