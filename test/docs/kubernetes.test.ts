import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { findInstruction, readDockerfile, type Stage } from '../../scripts/dockerfile.ts'
import { documentedSettings, readSettings } from '../../src/settings.ts'
import { startService } from '../e2e/support/service.ts'
import { readText } from './markdown.ts'

type Labels = Readonly<Record<string, string>>

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly timeoutSeconds?: number
  readonly failureThreshold: number
}

interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
}

interface Container {
  readonly image: string
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly env: readonly Variable[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
  readonly securityContext: object
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

interface Deployment {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number } }
    readonly selector: { readonly matchLabels: Labels }
    readonly template: {
      readonly metadata: { readonly labels: Labels }
      readonly spec: {
        readonly serviceAccountName: string
        readonly terminationGracePeriodSeconds: number
        readonly securityContext: Readonly<Record<string, unknown>>
        readonly containers: readonly [Container]
        readonly volumes: readonly { readonly name: string; readonly emptyDir: object }[]
      }
    }
  }
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly selector: unknown; readonly minAvailable?: number }
}

// There is no cluster that could start it here: what it names is compared with what there is.
const text = readText('deploy/kubernetes.yaml')
const documents = parseAllDocuments(text)
const manifests = documents.map((document) => document.toJS() as Manifest)
const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind)
const deployments = ofKind('Deployment') as unknown as readonly [Deployment, Deployment]
const image = readDockerfile(readText('Dockerfile')).at(-1) as Stage

test('is YAML without mistakes, and names each thing once', () => {
  expect(documents.flatMap(({ errors }) => errors)).toEqual([])
  const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  expect(names).toEqual([...new Set(names)])
  expect(deployments.map(({ metadata }) => metadata.name)).toEqual(['lllm-server', 'lllm-worker'])
})

test('sends requests to servers only, by the port that the image listens on', () => {
  const [service] = ofKind('Service') as unknown as [
    { readonly spec: { readonly selector: Labels; readonly ports: readonly { readonly targetPort: string }[] } },
  ]
  const [server, worker] = deployments.map(({ spec }) => spec.template)
  expect(server?.metadata.labels).toMatchObject(service.spec.selector)
  expect(worker?.metadata.labels).not.toMatchObject(service.spec.selector)
  const [port] = server?.spec.containers[0].ports ?? []
  expect(service.spec.ports[0]?.targetPort).toBe(port?.name)
  expect(String(port?.containerPort)).toBe(findInstruction(image, 'EXPOSE'))
})

test('asks routes that there are, at the port that is open', async () => {
  const { get } = await startService()
  for (const { spec } of deployments) {
    const [{ ports, startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(httpGet.port).toBe(ports[0]?.name)
      expect((await get(httpGet.path)).status, httpGet.path).toBe(200)
    }
  }
})

describe.each(deployments.map((deployment) => [deployment.metadata.name, deployment] as const))('%s', (name, given) => {
  const { replicas, strategy, selector, template } = given.spec
  const [container] = template.spec.containers
  const env = Object.fromEntries(container.env.map((variable) => [variable.name, variable.value ?? 'from-a-secret']))
  const settings = readSettings({ ...env, LLLM_DATABASE: 'postgres://db/lllm', LLLM_WEBHOOK_SECRETS: undefined })

  test('sets only what a service knows, to values that it takes', () => {
    const known = documentedSettings.flatMap(({ variables }) => variables)
    expect(known).toEqual(expect.arrayContaining(Object.keys(env)))
    expect(settings).toMatchObject({ role: name.replace('lllm-', ''), warnings: [] })
  })

  test('has no secret in it: keys and the URL with its password come from one', () => {
    for (const { name: variable, value, valueFrom } of container.env) {
      if (/KEY|SECRET|DATABASE/.test(variable))
        expect({ value, from: valueFrom?.secretKeyRef.name }).toEqual({ from: 'lllm' })
    }
    const [, commands = ''] = /^# +kubectl create secret([\s\S]*?)^# +kubectl apply/m.exec(text) ?? []
    expect(commands).toContain('--from-literal=database=')
    expect(commands).toContain('--from-literal=openai-api-key=')
  })

  test('asks for life the process alone, and for work the database too, for as long as that may take', () => {
    const { livenessProbe, readinessProbe } = container
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual(['/healthz', '/readyz'])
    // The service itself waits 2 s for its database, and then says so.
    expect(readinessProbe.timeoutSeconds).toBeGreaterThan(2)
  })

  test('is given the time to end well, after it gets no more requests', () => {
    const [command, seconds] = container.lifecycle?.preStop.exec.command ?? ['sleep', '0']
    expect(command).toBe('sleep')
    const leastMs = Number(seconds) * 1_000 + settings.graceMs + 2_000
    expect(template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(leastMs)
    if (settings.role === 'server') {
      // Until readiness would have told it, if nothing else did.
      const { periodSeconds } = container.readinessProbe
      expect(Number(seconds)).toBeGreaterThanOrEqual(periodSeconds)
    }
  })

  test('is replaced one by one, the new one first, and never evicted to the last', () => {
    expect(strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 })
    const budgets = ofKind('PodDisruptionBudget').filter(({ metadata }) => metadata.name === name)
    expect(budgets).toMatchObject([{ spec: { selector } }])
    expect(replicas).toBeGreaterThan(budgets[0]?.spec?.minAvailable ?? 0)
    expect(template.metadata.labels).toEqual(selector.matchLabels)
  })

  test('runs as the user of the image, without rights, on a file system that it cannot write to', () => {
    const { runAsUser, runAsGroup, ...rest } = template.spec.securityContext
    expect(`${runAsUser}:${runAsGroup}`).toBe(findInstruction(image, 'USER'))
    expect(rest).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }])
    expect(template.spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }])
    expect(ofKind('ServiceAccount').map(({ metadata }) => metadata.name)).toContain(template.spec.serviceAccountName)
  })
})
