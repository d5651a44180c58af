/** Command lines of kubectl with their effect and verb; `read*` is the script's own dry run. */

export const KUBECTL_CASES = String.raw`
read get | kubectl get pods
read get | kubectl get pods -n web
read get | kubectl get pods -nweb
read get | kubectl get pods -n=web
read get | kubectl -n web get pods
read get | kubectl -nweb get pods
read get | kubectl --namespace web get pods
read get | kubectl --namespace=web get pods -o wide
read get | kubectl -n delete get pods
read get | kubectl get pods -A
read get | kubectl get po -Aw
read get | kubectl get deploy/web -o yaml
read get | kubectl get deployments.apps web -o json
read get | kubectl get pods -l app=web -o name
read get | kubectl get pods --selector app=web -o jsonpath='{.items[*].metadata.name}'
read get | kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'
read get | kubectl get pods -o go-template --template '{{.kind}}'
read get | kubectl get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image
read get | kubectl get all
read get | kubectl get cm web -o yaml
read get | kubectl get secrets
read get | kubectl get secret
read get | kubectl get secret web -o name
read get | kubectl get secrets -o wide --show-labels
read get | kubectl get secrets -o custom-columns=NAME:.metadata.name,TYPE:.type
read get | kubectl get secrets -o jsonpath='{.items[*].metadata.name}'
read get | kubectl get secrets -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'
read get | kubectl get secrets --sort-by=.metadata.name
reveal get | kubectl get secret web -o yaml
reveal get | kubectl get secret web -oyaml
reveal get | kubectl get secret web -o=json
reveal get | kubectl get secret web --output=json
reveal get | kubectl get secret web --output json
reveal get | kubectl get secret/web -o yaml
reveal get | kubectl get secrets/web -o jsonpath='{.data.password}'
reveal get | kubectl get secret web -o jsonpath-as-json='{.data}'
reveal get | kubectl get secret web -o go-template='{{.data.password}}'
reveal get | kubectl get secret web --template='{{.data.password}}'
reveal get | kubectl get secret -o custom-columns=P:.data.password
reveal get | kubectl get all,secret -o yaml
reveal get | kubectl get pods,secrets -o json
reveal get | kubectl get pod/a secret/b -o yaml
reveal get | kubectl get secrets.v1. web -o yaml
reveal get | kubectl get SECRET web -o YAML
reveal get | kubectl get -f a.yaml -o yaml
read get | kubectl get -f a.yaml
read get | kubectl get --raw /healthz
read get | kubectl get --raw /api/v1/namespaces/web/pods
read get | kubectl get --raw=/apis/metrics.k8s.io/v1beta1/nodes
read get | kubectl get --raw '/api/v1/pods?labelSelector=app%3Dweb'
reveal get | kubectl get --raw /api/v1/namespaces/web/secrets/db
mutate get | kubectl get --raw /api/v1/nodes/a/proxy/configz
mutate get | kubectl get --raw /api/v1/namespaces/web/services/x:80/proxy/
refuse get | kubectl get --raw /api/v1/namespaces/web/pods/a/exec?command=id
read get | kubectl get pods -o jsonpath-file=q.txt
read get | kubectl get pods --request-timeout=5s -v=4
read get | kubectl get --help
read describe | kubectl describe pod web
read describe | kubectl describe deploy/web -n web
read describe | kubectl describe nodes
reveal describe | kubectl describe secret web
reveal describe | kubectl describe secrets
reveal describe | kubectl describe -f a.yaml
read logs | kubectl logs web
read logs | kubectl logs -f deploy/web --tail=10
read logs | kubectl logs web -c app -p --since=1h
read logs | kubectl logs -l app=web --all-containers --prefix
read top pod | kubectl top pod -n web --containers
read top pod | kubectl top pods
read top node | kubectl top node
read top node | kubectl top nodes --no-headers
read top | kubectl top
read explain | kubectl explain pods.spec
read explain | kubectl explain deploy --recursive
read api-resources | kubectl api-resources --verbs=list -o name
read api-versions | kubectl api-versions
read version | kubectl version
read version | kubectl version --client -o json
read cluster-info | kubectl cluster-info
read cluster-info dump | kubectl cluster-info dump
read cluster-info dump | kubectl cluster-info dump --output-directory=dump
read events | kubectl events -n web --for pod/a
read events | kubectl events --types=Warning -w
read auth can-i | kubectl auth can-i delete pods
read auth can-i | kubectl auth can-i --list
read auth whoami | kubectl auth whoami -o yaml
mutate auth reconcile | kubectl auth reconcile -f rbac.yaml
read* auth reconcile | kubectl auth reconcile -f rbac.yaml --dry-run=client
read wait | kubectl wait --for=condition=Ready pod/a --timeout=60s
read wait | kubectl wait --for=delete pod -l app=web
reveal wait | kubectl wait --for=jsonpath='{.data.a}'=x secret/a
read diff | kubectl diff -f a.yaml
read diff | kubectl diff -k overlays/prod
read kustomize | kubectl kustomize overlays/prod
read kustomize | kubectl kustomize . -o out.yaml
read rollout status | kubectl rollout status deploy/web --timeout=60s
read rollout status | kubectl -n web rollout status deployment web -w=false
read rollout history | kubectl rollout history deploy/web
mutate rollout restart | kubectl rollout restart deploy/web
mutate rollout restart | kubectl rollout restart deployment web api -n web
mutate rollout restart | kubectl rollout -n web restart deploy/web
mutate rollout restart | kubectl rollout restart deploy -l app=web
mutate rollout restart | kubectl rollout restart deploy
mutate rollout undo | kubectl rollout undo deploy/web --to-revision=2
read* rollout undo | kubectl rollout undo deploy/web --dry-run=server
mutate rollout pause | kubectl rollout pause deploy/web
mutate rollout resume | kubectl rollout resume deploy/web
read rollout | kubectl rollout
read config view | kubectl config view
read config view | kubectl config view --minify -o jsonpath='{..namespace}'
read config view | kubectl config view --raw=false
reveal config view | kubectl config view --raw
reveal config view | kubectl config view --minify --flatten
read config current-context | kubectl config current-context
read config get-contexts | kubectl config get-contexts -o name
read config get-clusters | kubectl config get-clusters
refuse config use-context | kubectl config use-context prod
refuse config set-context | kubectl config set-context --current --namespace=web
refuse config set-credentials | kubectl config set-credentials a --exec-command=id
refuse config set-cluster | kubectl config set-cluster a --server=https://evil
refuse config delete-context | kubectl config delete-context a
refuse config rename-context | kubectl config rename-context a b
refuse config unset | kubectl config unset users
refuse config set | kubectl config set users.a.token x
mutate create | kubectl create -f a.yaml
mutate create | kubectl create -f -
read* create | kubectl create -f a.yaml --dry-run=client -o yaml
mutate create deployment | kubectl create deployment web --image=nginx
mutate create deployment | kubectl create deploy web --image=nginx
read* create deployment | kubectl create deployment web --image=nginx --dry-run=client -o yaml
mutate create namespace | kubectl create ns web
mutate create configmap | kubectl create configmap a --from-file=a=conf/a.txt
mutate create configmap | kubectl create cm a --from-literal=a=b
mutate create secret generic | kubectl create secret generic a --from-literal=a=b
read* create secret generic | kubectl create secret generic a --from-literal=a=b --dry-run=client -o yaml
mutate create secret tls | kubectl create secret tls a --cert=a.crt --key=a.key
mutate create secret docker-registry | kubectl create secret docker-registry a --docker-username=a --docker-password=b
mutate create job | kubectl create job a --from=cronjob/b
mutate create cronjob | kubectl create cronjob a --image=b --schedule='* * * * *'
mutate create role | kubectl create role a --verb=get --resource=pods
mutate create rolebinding | kubectl create rolebinding a --role=b --user=c
mutate create clusterrolebinding | kubectl create clusterrolebinding a --clusterrole=view --user=c
mutate create service clusterip | kubectl create service clusterip a --tcp=80
mutate create service nodeport | kubectl create svc nodeport a --tcp=80
mutate create serviceaccount | kubectl create sa a
mutate create ingress | kubectl create ingress a --rule=a/b=c:80
mutate create quota | kubectl create quota a --hard=pods=1
mutate create poddisruptionbudget | kubectl create pdb a --min-available=1 --selector=a=b
reveal create token | kubectl create token default
reveal create token | kubectl -n web create token app --duration=1h
mutate create | kubectl create --raw /api/v1/namespaces -f ns.json
mutate expose | kubectl expose deploy web --port=80
mutate run | kubectl run web --image=nginx
mutate run | kubectl run web --image=nginx -- sleep 1d
read* run | kubectl run web --image=nginx --dry-run=client -o yaml
refuse run | kubectl run -it web --image=nginx
refuse run | kubectl run web --image=nginx --rm -i --restart=Never
mutate set image | kubectl set image deploy/web app=nginx:1.27
refuse set image | kubectl set image deployment web app=nginx:1.27 --record=false
read* set image | kubectl set image deploy/web app=nginx:1.27 --dry-run=server
mutate set env | kubectl set env deploy/web A=b C-
read set env | kubectl set env deploy/web --list
reveal set env | kubectl set env deploy/web --list --resolve
mutate set env | kubectl set env deploy/web --list A=b
mutate set env | kubectl set env deploy/web --from=secret/a
mutate set resources | kubectl set resources deploy web --limits=cpu=1
mutate set serviceaccount | kubectl set sa deployment web app
mutate set selector | kubectl set selector svc web app=web
mutate set subject | kubectl set subject rolebinding a --user=b
mutate delete | kubectl delete pod web
mutate delete | kubectl delete pod web --now
mutate delete | kubectl delete pods --all -n web
mutate delete | kubectl delete pods -l app=web
mutate delete | kubectl delete -f a.yaml --ignore-not-found
mutate delete | kubectl delete deploy/web svc/web
read* delete | kubectl delete pod web --dry-run=client
read* delete | kubectl delete pod web --dry-run=server
mutate delete | kubectl delete --raw /api/v1/namespaces/web/pods/a
mutate delete | kubectl delete pod web --cascade=orphan --wait=false
mutate scale | kubectl scale deploy/web --replicas=3
mutate scale | kubectl scale --replicas=0 deploy --all
read* scale | kubectl scale deploy/web --replicas=3 --dry-run=server
mutate autoscale | kubectl autoscale deploy web --max=3
mutate certificate approve | kubectl certificate approve a
mutate certificate deny | kubectl certificate deny a
mutate cordon | kubectl cordon n1
mutate uncordon | kubectl uncordon n1
mutate drain | kubectl drain n1 --ignore-daemonsets --delete-emptydir-data
read* drain | kubectl drain n1 --dry-run=client
mutate taint | kubectl taint nodes n1 a=b:NoSchedule
mutate taint | kubectl taint node n1 a-
mutate apply | kubectl apply -f a.yaml
mutate apply | kubectl apply -f a.yaml,b.yaml --server-side --force-conflicts
mutate apply | kubectl apply -k overlays/prod
mutate apply | kubectl apply -f -
read* apply | kubectl apply -f a.yaml --dry-run=server
reveal apply | kubectl apply -f a.yaml -o yaml
read apply view-last-applied | kubectl apply view-last-applied deploy/web -o json
reveal apply view-last-applied | kubectl apply view-last-applied secret/web
mutate apply set-last-applied | kubectl apply set-last-applied -f a.yaml
refuse apply edit-last-applied | kubectl apply edit-last-applied deploy/web
mutate patch | kubectl patch deploy web -p '{"spec":{"replicas":1}}'
mutate patch | kubectl patch deploy web --type=json --patch-file p.json
read* patch | kubectl patch deploy web -p '{}' --dry-run=server -o yaml
reveal patch | kubectl patch secret web -p '{}' --dry-run=server -o yaml
mutate patch | kubectl patch secret web -p '{"stringData":{"a":"b"}}'
mutate replace | kubectl replace -f a.yaml
mutate replace | kubectl replace --force -f a.yaml
mutate replace | kubectl replace --raw /api/v1/namespaces/web/configmaps/a -f a.json
mutate label | kubectl label pod web a=b
mutate label | kubectl label pods --all a-
read label | kubectl label pod web --list
mutate label | kubectl label pod web a=b --list
reveal label | kubectl label secret web a=b -o yaml --dry-run=client
mutate annotate | kubectl annotate deploy web a=b --overwrite
read annotate | kubectl annotate deploy web --list
reveal annotate | kubectl annotate secret web --list
refuse edit | kubectl edit deploy web
refuse exec | kubectl exec web -- ls
refuse exec | kubectl exec -it web -c app -- sh
refuse attach | kubectl attach web
refuse cp | kubectl cp web:/a a
refuse debug | kubectl debug web --image=busybox
refuse port-forward | kubectl port-forward svc/web 8080:80
refuse proxy | kubectl proxy --port=8001
refuse plugin list | kubectl plugin list
refuse krew | kubectl krew install x
refuse gett | kubectl gett pods
read completion | kubectl completion bash
read | kubectl
read | kubectl --help
`
