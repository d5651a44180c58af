/** Cases of a cluster: the API server's log of requests says what was done. */

import { expect } from 'vitest'
import { printed, type Case } from './agent-cases.ts'
import { reportIn, type Moves } from './agent-moves.ts'
import {
  addDeployment,
  callerEnvironment,
  changes,
  cluster,
  mutating,
  once,
  type Cluster,
} from './cluster.ts'

/** Fields that only whole objects of the API have. */
const OBJECTS = [/managedFields/, /creationTimestamp/, /terminationGracePeriodSeconds/]

const CRASHING = `import json, subprocess
from srecodex import summary
pods = json.loads(subprocess.run(["kubectl", "get", "pods", "-A", "-o", "json"], check=True, capture_output=True, text=True).stdout)["items"]
def looping(pod):
    for status in pod["status"].get("containerStatuses", []):
        waiting = status["state"].get("waiting", {}).get("reason")
        last = status.get("lastState", {}).get("terminated")
        if waiting == "CrashLoopBackOff" or (last and status["restartCount"] >= 3): return True
found = sorted("%(namespace)s/%(name)s" % pod["metadata"] for pod in pods if looping(pod))
print(json.dumps(pods))
summary("%d of %d pods in CrashLoopBackOff:\\n%s" % (len(found), len(pods), "\\n".join(found)))
`

export const BULK: Case = {
  name: 'bulk: all pods in CrashLoopBackOff, over all namespaces',
  prompt: 'List all pods in CrashLoopBackOff across all namespaces.',
  calls: 1,
  set: async () => {
    const place = await cluster({
      deployments: ['shop/web:1.0-crashloop', 'shop/cart', 'pay/api:2.0-crashloop'],
    })
    const { kubernetes } = place
    kubernetes.addDeployments(60)
    await kubernetes.settled()
    return {
      place,
      env: await callerEnvironment(place.kubeconfig),
      moves: function* (): Moves {
        const told = reportIn(yield { tool: 'run_script', input: { script: CRASHING, language: 'python' } })
        return told.summary
      },
      raw: [/creationTimestamp/, /terminationGracePeriodSeconds/, /containerID/],
      sample: () => printed(place),
      judge: ({ answer }) => {
        expect(answer).toMatch(/^2 of \d+ pods in CrashLoopBackOff:\npay\/api-\S+\nshop\/web-\S+$/)
        const lists = kubernetes.requests.filter(
          ({ resource, verb }) => resource === 'pods' && verb === 'list',
        )
        expect(lists).toHaveLength(1)
        expect(mutating(kubernetes)).toEqual([])
      },
    }
  },
}

const MEND = `import srecodex
health = srecodex.skill("k8s/health-check", all_namespaces=True)
sick = [one["workload"] for one in health["unhealthy"]]
done = srecodex.skill("k8s/bulk-restart", workloads=sick, rollout_timeout_seconds=20)
srecodex.summary("%d unhealthy: %s\\n%s" % (len(sick), ", ".join(sick), done["summary"]))
`

export const COMPOSITION: Case = {
  name: 'composition: skills are found, one script checks and restarts; a person approves the plan',
  prompt: 'Check which services are unhealthy and restart them.',
  calls: 2,
  set: async () => {
    const place = await cluster({ deployments: ['shop/cart', 'pay/ledger'] })
    const { kubernetes } = place
    for (const [namespace, name] of [['shop', 'web'] as const, ['pay', 'api'] as const]) {
      const image = `registry.test/${name}:1.0-crashloop`
      kubernetes.addWorkload({
        ...{ namespace, name, image, replicas: 1, podAnnotations: { 'sim/mended-by': 'restart' } },
      })
    }
    await kubernetes.settled()
    return {
      place,
      env: await callerEnvironment(place.kubeconfig),
      moves: function* (): Moves {
        const query = 'check which services are unhealthy and restart them'
        const skills = yield { tool: 'find_skills', input: { query } }
        for (const id of ['k8s/health-check', 'k8s/bulk-restart'])
          if (!skills.includes(id)) throw new Error(`${id} was not found: ${skills}`)
        const told = yield { tool: 'run_script', input: { script: MEND, language: 'python' } }
        return `${reportIn(told).summary}\nNothing is changed yet. To approve: ${approvalIn(told)}`
      },
      raw: OBJECTS,
      sample: () => JSON.stringify(kubernetes.get('deployments', 'shop', 'web')),
      judge: async ({ answer }) => {
        expect(answer).toContain('2 unhealthy: pay/deployment/api, shop/deployment/web')
        expect(mutating(kubernetes)).toEqual([])
        const { exitCode, report } = await approve(place, answer)
        expect({ exitCode, items: report.items }).toMatchObject({ exitCode: 0, items: { total: 2, ok: 2 } })
        expect(changes(kubernetes)).toEqual(once(['pay/api', 'shop/web']))
        for (const [namespace, name] of [['shop', 'web'] as const, ['pay', 'api'] as const])
          expect(kubernetes.get('deployments', namespace, name)).toMatchObject({
            status: { readyReplicas: 1 },
          })
      },
    }
  },
}

const BAD = 'registry.test/web:2.0-imagepull'

const DEPLOY = `import srecodex
done = srecodex.skill("deploy/rollout", namespace="shop", workload="deployment/web", image="${BAD}",
                      rollout_timeout_seconds=10, settle_seconds=1)
srecodex.summary(done["status"] + ": " + done["summary"])
`

export const DEPLOYMENT: Case = {
  name: 'deploy, verify, roll back: one plan, with the way back in it',
  prompt: 'Deploy web 2.0 to shop, verify that it is healthy, and roll back if it is not.',
  calls: 2,
  set: async () => {
    const place = await cluster()
    const { kubernetes } = place
    // A bad one is known as such after two seconds.
    kubernetes.addWorkload({ namespace: 'shop', name: 'web', replicas: 1, progressDeadlineSeconds: 2 })
    await kubernetes.settled()
    return {
      place,
      env: await callerEnvironment(place.kubeconfig),
      moves: function* (): Moves {
        const skills = yield { tool: 'find_skills', input: { query: 'deploy a version, verify, roll back' } }
        if (!skills.includes('deploy/rollout')) throw new Error(`it was not found: ${skills}`)
        const told = yield { tool: 'run_script', input: { script: DEPLOY, language: 'python' } }
        return `${reportIn(told).summary}\nTo approve: ${approvalIn(told)}`
      },
      raw: OBJECTS,
      sample: () => JSON.stringify(kubernetes.get('deployments', 'shop', 'web')),
      judge: async ({ answer }) => {
        expect(answer).toContain(
          `to deploy: ${BAD} to deployment/web in shop, back to revision 1 if it is not`,
        )
        expect(mutating(kubernetes)).toEqual([])
        const { report } = await approve(place, answer)
        expect(report).toMatchObject({
          status: 'succeeded',
          summary: expect.stringMatching(/^rolled-back: /),
        })
        expect(changes(kubernetes)).toEqual({ 'patch shop/web': 2 })
        expect(kubernetes.get('deployments', 'shop', 'web')).toMatchObject({
          spec: { template: { spec: { containers: [{ image: 'registry.test/web:1.0' }] } } },
        })
      },
    }
  },
}

const restarts = (names: string): string => `import subprocess, srecodex
def restart(name):
    if name == "?": raise RuntimeError("a slip in the script")
    subprocess.run(["kubectl", "-n", "shop", "rollout", "restart", "deployment/" + name], check=True, capture_output=True)
srecodex.summary(srecodex.each(${names}, restart, key=str, at_once=1, max_failures=0).summary())
`

/** The operator trusts this client with changes and with going on, so no person is asked in between. */
export const RESUMED: Case = {
  name: 'a run that fails half way is resumed with a mended script, and nothing is done twice',
  prompt: 'Restart a, b, c and d in shop.',
  calls: 2,
  approved: ['run_script', 'resume_run'],
  set: async () => {
    const place = await cluster({ deployments: ['shop/a', 'shop/b', 'shop/c'] })
    const { kubernetes } = place
    addDeployment(kubernetes, 'shop/d')
    await kubernetes.settled()
    place.configure('[mutations]\ndefault = "allow"\n')
    return {
      place,
      env: await callerEnvironment(place.kubeconfig),
      moves: function* (): Moves {
        const script = restarts('["a", "b", "?", "c"]')
        const failed = yield { tool: 'run_script', input: { script, language: 'python' } }
        const { run, status } = reportIn(failed)
        if (status !== 'failed' || !failed.includes('resume_run'))
          throw new Error(`not as foreseen: ${failed}`)
        const mended = restarts('["a", "b", "c", "d"]')
        return reportIn(yield { tool: 'resume_run', input: { run, script: mended } }).summary
      },
      raw: OBJECTS,
      sample: () => JSON.stringify(kubernetes.get('deployments', 'shop', 'a')),
      judge: ({ answer }) => {
        expect(answer).toContain('4')
        expect(changes(kubernetes)).toEqual(once(['shop/a', 'shop/b', 'shop/c', 'shop/d']))
      },
    }
  },
}

/** The command that the result names for a person. */
function approvalIn(told: string): string {
  const { run, status } = reportIn(told)
  const command = `srecodex apply ${run}`
  if (status !== 'planned' || !told.includes(command)) throw new Error(`no plan to approve: ${told}`)
  return command
}

/** A person runs the command that the agent named. */
function approve({ srecodex }: Cluster, answer: string): ReturnType<Cluster['srecodex']> {
  const [, plan = ''] = /srecodex apply (\w{26})/.exec(answer) ?? []
  return srecodex(`apply ${plan} --yes`)
}
