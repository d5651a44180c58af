/** The built-in kinds with their short names: plural, singular and short forms, group. */

const RESOURCES = `
bindings,binding
componentstatuses,componentstatus,cs
configmaps,configmap,cm
endpoints,ep
events,event,ev
limitranges,limitrange,limits
namespaces,namespace,ns
nodes,node,no
persistentvolumeclaims,persistentvolumeclaim,pvc
persistentvolumes,persistentvolume,pv
pods,pod,po
podtemplates,podtemplate
replicationcontrollers,replicationcontroller,rc
resourcequotas,resourcequota,quota
secrets,secret
serviceaccounts,serviceaccount,sa
services,service,svc
mutatingwebhookconfigurations,mutatingwebhookconfiguration admissionregistration.k8s.io
validatingwebhookconfigurations,validatingwebhookconfiguration admissionregistration.k8s.io
validatingadmissionpolicies,validatingadmissionpolicy admissionregistration.k8s.io
customresourcedefinitions,customresourcedefinition,crd,crds apiextensions.k8s.io
apiservices,apiservice apiregistration.k8s.io
controllerrevisions,controllerrevision apps
daemonsets,daemonset,ds apps
deployments,deployment,deploy apps
replicasets,replicaset,rs apps
statefulsets,statefulset,sts apps
horizontalpodautoscalers,horizontalpodautoscaler,hpa autoscaling
cronjobs,cronjob,cj batch
jobs,job batch
certificatesigningrequests,certificatesigningrequest,csr certificates.k8s.io
leases,lease coordination.k8s.io
endpointslices,endpointslice discovery.k8s.io
flowschemas,flowschema flowcontrol.apiserver.k8s.io
ingressclasses,ingressclass networking.k8s.io
ingresses,ingress,ing networking.k8s.io
networkpolicies,networkpolicy,netpol networking.k8s.io
runtimeclasses,runtimeclass node.k8s.io
poddisruptionbudgets,poddisruptionbudget,pdb policy
clusterrolebindings,clusterrolebinding rbac.authorization.k8s.io
clusterroles,clusterrole rbac.authorization.k8s.io
rolebindings,rolebinding rbac.authorization.k8s.io
roles,role rbac.authorization.k8s.io
priorityclasses,priorityclass,pc scheduling.k8s.io
csidrivers,csidriver storage.k8s.io
csinodes,csinode storage.k8s.io
storageclasses,storageclass,sc storage.k8s.io
volumeattachments,volumeattachment storage.k8s.io
`

interface Resource {
  readonly plural: string
  /** The kind in lower case: `deployment`. */
  readonly kind: string
  readonly group: string
}

const BY_NAME: ReadonlyMap<string, Resource> = new Map(
  RESOURCES.trim()
    .split('\n')
    .flatMap(line => {
      const [names = '', group = ''] = line.split(' ')
      const all = names.split(',')
      const plural = all[0] ?? ''
      // Endpoints are the one kind that is a plural.
      const kind = plural === 'endpoints' ? plural : (all[1] ?? plural)
      return all.map(name => [name, { plural, kind, group }] as const)
    }),
)

/** `deploy`, `Deployment`, `deployments.apps`, `deployments.v1.apps` are all `deployments`; others stay. */
export const canonicalResource = (word: string): string => {
  const lower = word.toLowerCase()
  const [head = '', ...qualifiers] = lower.split('.')
  const known = BY_NAME.get(head)
  if (known === undefined) return lower
  const versionless = /^v\d/.test(qualifiers[0] ?? '') ? qualifiers.slice(1) : qualifiers
  const group = versionless.join('.')
  return group === '' || group === known.group ? known.plural : lower
}

/** `deployments` is `deployment`; of a kind that is not built in, the word without its group and its plural's s. */
export const kindOfResource = (word: string): string => {
  const canonical = canonicalResource(word)
  const known = BY_NAME.get(canonical)
  if (known !== undefined) return known.kind
  const [head = ''] = canonical.split('.')
  return head.endsWith('s') ? head.slice(0, -1) : head
}

/** `deployments.apps`, as the server names what an object is of: by its kind in lower case and its group. */
export const qualifiedPlural = (kind: string, group: string): string => {
  const known = BY_NAME.get(kind)
  const plural = known?.group === group ? known.plural : `${kind}s`
  return group === '' ? plural : `${plural}.${group}`
}

/** Whatever its group: some stores of secrets name their kinds alike. */
export const isSecretResource = (word: string): boolean => /^secrets?(\.|$)/.test(word.toLowerCase())
