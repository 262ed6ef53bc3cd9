/**
 * The public API of lading: every name spelled out. The library prints nothing, reads no environment variable and ends no
 * process; what it needs of them comes in as options.
 */
export {
  type AnalyzeDockerfileOptions,
  checkDockerfile,
  type DockerfileCheck,
  type DockerfileSource,
  type DockerfileWarning,
  listTargets,
  outlineDockerfile,
  type ReadDockerfileOptions,
} from './api/analyze-dockerfile.js';
export {
  type ArtifactFile,
  type AttachOptions,
  attachArtifact,
  type FetchArtifactOptions,
  type FetchedFile,
  fetchArtifact,
  type ListReferrersOptions,
  listReferrers,
  type Referrers,
} from './api/artifacts.js';
export { type BaseImagesOptions, baseImages, type PullPolicy } from './api/base-images.js';
export type { BuildAgent } from './api/build-agents.js';
export { isRemoteContext } from './api/build-context.js';
export {
  type BuildImageEvent,
  type BuildImageOptions,
  type BuildImageResult,
  buildImage,
} from './api/build-image.js';
export type { BuildSecret } from './api/build-secrets.js';
export type { CommandOptions } from './api/command-settings.js';
export {
  archiveFromContainer,
  type CommitContainerOptions,
  type ContainerOptions,
  type CreateContainerOptions,
  commitContainer,
  containerDiff,
  containerLog,
  copyFromContainer,
  copyToContainer,
  createContainer,
  exportContainer,
  findContainer,
  listContainers,
  type ReadContainerLogOptions,
  type RemoveContainersOptions,
  removeContainers,
  type StartContainerOptions,
  type StopContainerOptions,
  startContainer,
  stopContainer,
} from './api/containers.js';
export {
  type CopiedTag,
  type CopyBetweenOptions,
  type CopyTagsOptions,
  copyBetween,
  copyTags,
} from './api/copy-between.js';
export { type FailedFiles, type FileChange, type ListedFile, openFailedCommand } from './api/failed-command.js';
export { appendToIndex, createIndex, type IndexOptions, removeFromIndex } from './api/image-index.js';
export { type MergeOptions, mergeIndex, type PushPartOptions, pushPart } from './api/index-parts.js';
export {
  type HistoryLine,
  type Inspection,
  type InspectOptions,
  imageHistory,
  inspectImage,
} from './api/inspect-image.js';
export { type LoadedImage, type LoadOptions, loadImages } from './api/load-images.js';
export { type Output, type OutputFiles, type OutputImage, parseOutput } from './api/output.js';
export { parseAgent } from './api/parse-agent.js';
export { parseAnnotation } from './api/parse-annotation.js';
export { parseAttestations } from './api/parse-attestations.js';
export { type HostAddress, outwardAddress, parseHost, parseLimit, parseSize } from './api/parse-command-options.js';
export { type ParseSecretOptions, parseSecret } from './api/parse-secret.js';
export { type PullOptions, pullImage } from './api/pull-image.js';
export { type PushOptions, pushImage } from './api/push-image.js';
export type { RegistryAccess, TransferOptions } from './api/registry-access.js';
export {
  type RegistryClient,
  type RegistryClientOptions,
  type RegistryRepository,
  registryClient,
} from './api/registry-client.js';
export {
  type DeleteOptions,
  deleteFromRegistry,
  type RawManifest,
  type ResolveOptions,
  readBlob,
  readRawManifest,
  resolveImage,
} from './api/registry-content.js';
export {
  type ListOptions,
  listRepositories,
  listTags,
  type SearchOptions,
  searchImages,
} from './api/registry-lists.js';
export {
  type CredentialExplanation,
  explainLogin,
  type Login,
  type LoginOptions,
  type Logout,
  type LogoutOptions,
  login,
  logout,
  type PlaceReport,
} from './api/registry-login.js';
export { type ArchiveFormat, type SaveOptions, saveImages } from './api/save-images.js';
export { type RemovedImage, removeImages, tagImage } from './api/store-names.js';
export { trialMemory } from './api/trial-memory.js';
export type { Annotation, AnnotationPlace } from './build/annotations.js';
export type { BuildEvent, StepInfo } from './build/event.js';
export type { ProvenanceOptions } from './build/provenance.js';
export type { Entitlement } from './build/run/entitlement.js';
export type {
  Container,
  ContainerFailure,
  ContainerProcess,
  ContainerStatus,
  ContainerVolume,
} from './container/container.js';
export type { ContainerChange } from './container/container-changes.js';
export type { LogEntry } from './container/container-log.js';
export type { ProcessOptions } from './container/container-process.js';
export { type PublishRequest, parsePublish } from './container/publish.js';
export type { ContentSource, ContentTarget } from './content/content.js';
export type { CopyEvent } from './content/copy.js';
export type { Diagnostic, DockerfileAst, Instruction } from './dockerfile/ast.js';
export { expandWord, expandWords } from './dockerfile/expand.js';
export { formatAst } from './dockerfile/format-ast.js';
export { type IgnoreMatcher, ignoreMatcher } from './dockerfile/ignore.js';
export { parseDockerfile } from './dockerfile/parser.js';
export {
  type ErrorCode,
  type ErrorDetails,
  isLadingError,
  LadingError,
  type SourcePlace,
  type SourceRange,
} from './errors/errors.js';
export { redactText } from './errors/redact.js';
export { type Image, openImage } from './image/image.js';
export { validateImage } from './image/validate.js';
export type { ContainerConfig, HistoryEntry, ImageConfig } from './oci/config.js';
export type { Descriptor } from './oci/descriptor.js';
export { type Digest, isDigest, parseDigest } from './oci/digest.js';
export type { ImageIndex, ImageManifest } from './oci/manifest.js';
export type { Compression } from './oci/media-types.js';
export { formatPlatform, hostPlatform, type Platform, parsePlatform } from './oci/platform.js';
export { familiarName, formatReference, parseReference, type Reference } from './oci/reference.js';
export { matchesWildcard } from './oci/wildcard.js';
export type { DockerfileOutline, OutlineArgument, OutlineMount } from './plan/outline.js';
export type { BuildTarget } from './plan/targets.js';
export {
  type ChooseSandboxOptions,
  chooseSandbox,
  examineHost,
  type TierReport,
} from './sandbox/choose-sandbox.js';
export {
  type ProcessNetwork,
  type PublishedPort,
  processNetworks,
  type ResourceLimit,
  refusingSandbox,
  type Sandbox,
} from './sandbox/sandbox.js';
export { type SandboxName, sandboxNames } from './sandbox/sandbox-name.js';
export type { TrialMemory } from './sandbox/tried-before.js';
export {
  findUserNamespace,
  startInUserNamespace,
  type UserNamespace,
  type UserNamespaceStart,
} from './sandbox/user-namespace.js';
export { UserNamespaceNeeded } from './sandbox/user-namespace-needed.js';
export { isUserNetwork } from './sandbox/user-network.js';
export type { StoreCheck, StoreProblem } from './store/check.js';
export type { PruneOptions, PruneReport } from './store/prune.js';
export { openStore, type Store, type StoreOptions } from './store/store.js';
export type { StoredImage } from './store/stored-image.js';
export type { StoreUsage } from './store/usage.js';
export type { Bytes, CallOptions } from './stream/bytes.js';
export type { ProxySettings } from './transport/http/proxy.js';
export { type Location, parseLocation } from './transport/location.js';
export { type Endpoint, openLocation } from './transport/open.js';
export type { Credential, CredentialRequest, CredentialSource } from './transport/registry/credentials.js';
export type { RegistryEvent, RegistryEventSink } from './transport/registry/events.js';
export type { FoundRepository } from './transport/registry/search.js';
