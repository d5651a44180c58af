import { describe, expect, test } from 'vitest'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'
import { callOfLine, decided } from './scenarios.ts'

const canonical = (line: string): readonly string[] => {
  const call = callOfLine(line)
  return knowledgeOf(call.tool).canonical(call, decided(line))
}

const pairs = (text: string): [string, string][] =>
  text
    .trim()
    .split('\n')
    .map(line => line.trim().split(/ +<> +/) as [string, string])

describe('calls that mean the same', () => {
  test.each(
    pairs(String.raw`
    kubectl delete pod a b -n x <> kubectl --namespace=x delete pods b a
    kubectl delete pod a <> kubectl delete pod a -n default
    kubectl delete pod/a pod/b <> kubectl delete pods a b
    kubectl delete pod a a <> kubectl delete pod a
    kubectl delete pod a <> kubectl delete pod -- a
    kubectl delete pod a --wait <> kubectl delete pod a --wait=true
    kubectl delete pod a --wait <> kubectl delete pod a
    kubectl delete pod a --force=false <> kubectl delete pod a
    kubectl delete pod a --force <> kubectl delete pod a --force=T
    kubectl delete pods -l a=b,c=d <> kubectl delete pods --selector=c=d,a=b
    kubectl rollout restart deploy/web <> kubectl rollout restart deployment web
    kubectl rollout restart deploy/web <> kubectl rollout restart deployments.apps/web
    kubectl rollout restart deploy/web <> kubectl rollout restart deployments.v1.apps/web -v=4
    kubectl scale deploy web --replicas=3 <> kubectl scale --replicas 3 deployment/web
    kubectl scale deploy web --replicas=1 --replicas=3 <> kubectl scale deploy web --replicas=3
    kubectl scale deploy web --replicas=3 --dry-run=none <> kubectl scale deploy web --replicas=3
    kubectl -n a -n b delete pod x <> kubectl delete pod x -n b
    kubectl set image deploy/web a=x b=y <> kubectl set image deployment web b=y a=x
    kubectl label po web b=2 a=1 old- <> kubectl label pods/web old- a=1 b=2
    kubectl cordon n1 n2 <> kubectl cordon n2 n1
    kubectl taint nodes n1 a=b:NoSchedule <> kubectl taint node n1 a=b:NoSchedule
    kubectl patch deploy web -p '{"a":1,"b":{"d":1,"c":2}}' <> kubectl patch deployment/web --patch '{"b":{"c":2,"d":1},"a":1}'
    kubectl patch deploy web -p '{"spec":{"replicas":3}}' <> kubectl patch deploy web -p 'spec: {replicas: 3}'
    kubectl apply -f a.yaml <> kubectl apply -f /tmp/other.yaml
    kubectl apply -f a.yaml -f b.yaml <> kubectl apply -f a.yaml,b.yaml
    kubectl create cm x --from-file=a.txt <> kubectl create configmap x --from-file=/tmp/d/a.txt
    kubectl create cm x --from-file=k=a.txt <> kubectl create cm x --from-file=k=b.txt
    kubectl create cm x --from-literal=a=1 --from-literal=b=2 <> kubectl create cm x --from-literal=b=2 --from-literal=a=1
    kubectl create role r --verb=get,list --resource=po <> kubectl create role r --verb list --verb get --resource=pods
    kubectl exec web -- ls <> kubectl exec pod/web -- ls
    helm upgrade web ./chart --set a=1 -n shop <> helm -n shop upgrade --set=a=1 web ./chart
    helm upgrade web ./chart -f a.yaml <> helm upgrade web ./chart --values /tmp/b.yaml
    aws ec2 stop-instances --instance-ids i-1 i-2 --region eu-west-1 <> aws --region=eu-west-1 ec2 stop-instances --instance-ids i-1 i-2 --no-cli-pager
    aws iam create-role --role-name r --path /x/ <> aws iam create-role --path=/x/ --role-name=r
    aws sqs send-message --queue-url q --message-body file://a.json <> aws sqs send-message --message-body file:///tmp/b.json --queue-url q
    psql -d shop -c 'DELETE FROM a' -q <> psql --quiet --command='DELETE FROM a' shop
    psql shop -v a=1 -c 'SELECT 1' <> psql shop --set a=1 -c 'SELECT 1'
    amtool silence expire a b <> amtool silence expire b a
    amtool silence add x=1 y=2 -c note -d 1h <> amtool silence add --duration=1h --comment note y=2 x=1
    curl -X POST -d @a https://h.example/x -s <> curl https://h.example/x --data @/tmp/b
    `),
  )('%s = %s', (one, other) => {
    expect(canonical(one)).toEqual(canonical(other))
  })

  test('two restarts by hand differ only in their time', () => {
    const patch = (time: string): string =>
      `kubectl patch deploy web -p '{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"${time}"}}}}}'`
    expect(canonical(patch('2026-01-01T00:00:00Z'))).toEqual(
      canonical(patch('2026-01-02T10:00:00.123+02:00')),
    )
    expect(canonical(patch('2026-01-01T00:00:00Z'))).not.toEqual(canonical(patch('now')))
  })
})

describe('calls that do not', () => {
  test.each(
    pairs(String.raw`
    kubectl delete pod a <> kubectl delete pod b
    kubectl delete pod a <> kubectl delete pod a b
    kubectl delete pod a -n x <> kubectl delete pod a -n y
    kubectl delete pod a <> kubectl delete service a
    kubectl delete deploy web <> kubectl delete deployment.extensions web
    kubectl delete pod a <> kubectl delete pod a --force
    kubectl delete pod a <> kubectl delete pod a --wait=false
    kubectl delete pods -l a=b <> kubectl delete pods -l a=c
    kubectl delete pods -l 'a in (b,c)' <> kubectl delete pods -l 'a in (b),c'
    kubectl delete pods --all <> kubectl delete pods --all -A
    kubectl scale deploy web --replicas=3 <> kubectl scale deploy web --replicas=4
    kubectl scale deploy web --replicas=3 <> kubectl scale deploy web --replicas=3 --current-replicas=1
    kubectl set image deploy/web a=x <> kubectl set image deploy/web a=y
    kubectl set env deploy/web A=1 A=2 <> kubectl set env deploy/web A=2 A=1
    kubectl rollout restart deploy/web <> kubectl rollout undo deploy/web
    kubectl patch deploy web -p '{"a":[1,2]}' <> kubectl patch deploy web -p '{"a":[2,1]}'
    kubectl patch deploy web -p '{"a":1}' <> kubectl patch deploy web --type=merge -p '{"a":1}'
    kubectl create cm x --from-file=a.txt <> kubectl create cm x --from-file=b.txt
    kubectl create cm x --from-literal=a=1 <> kubectl create cm x --from-literal=a=2
    kubectl exec web -- ls <> kubectl exec web -- rm -rf /
    kubectl exec web -- a b <> kubectl exec web -- b a
    kubectl cp a.txt web:/a <> kubectl cp web:/a a.txt
    kubectl run a --image=x -- b c <> kubectl run a --image=x -- c b
    kubectl annotate po web a=1 <> kubectl annotate po web a-
    kubectl drain n1 --pod-selector=a=b <> kubectl drain n1
    helm upgrade web ./chart --set a=1 <> helm upgrade web ./chart --set a=2
    helm uninstall web <> helm uninstall web --keep-history
    helm rollback web 1 <> helm rollback web 2
    aws ec2 stop-instances --instance-ids i-1 <> aws ec2 terminate-instances --instance-ids i-1
    aws ec2 stop-instances --instance-ids i-1 <> aws ec2 stop-instances --instance-ids i-1 --force
    aws ec2 stop-instances --instance-ids i-1 <> aws ec2 stop-instances --instance-ids i-1 --region us-east-1
    aws s3 rm s3://a/b <> aws s3 rm s3://a/b --recursive
    psql shop -c 'DELETE FROM a' <> psql other -c 'DELETE FROM a'
    psql shop -c A -c B <> psql shop -c B -c A
    psql shop -c A <> psql shop -1 -c A
    amtool silence add a=b -c x <> amtool silence add a=c -c x
    curl -X POST https://h.example/x <> curl -X PUT https://h.example/x
    curl -d a https://h.example/x <> curl -d b https://h.example/x
    gcloud compute instances stop a b <> gcloud compute instances stop b a
    `),
  )('%s ≠ %s', (one, other) => {
    expect(canonical(one)).not.toEqual(canonical(other))
  })
})
