// Loaded before the entry: Node would otherwise strip the types of the entry itself before the cache is on, for which it
// loads a compiler that takes 17 MB and 60 ms. It is JavaScript so that it needs no stripping itself.
import { enableCompileCache } from 'node:module'

enableCompileCache()
