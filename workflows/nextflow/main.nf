// DART-Eval runs of a sheet: each row is a run, split into shards and merged; one report of all runs.
//
//   nextflow run workflows/nextflow/main.nf -profile slurm -params-file config.yaml
//
// config.yaml and runs.tsv in workflows/ are examples. docs/clusters.md documents them.

def quoted(word) { "'" + word.toString().replace("'", "'\\''") + "'" }

def shellWords(words) { words.collect { quoted(it) }.join(' ') }

def command() { shellWords(params.command.tokenize()) }

/** A name, or the file or folder that it names: the engine carries those to the machine of the task. */
def fileOf(text) {
    def found = file(text)
    found instanceof Path && found.exists() ? found : []
}

process fetch {
    executor 'local'
    cache false
    errorStrategy { permanent(task.exitStatus) ? 'terminate' : 'retry' }

    input:
    val suite
    val models

    output:
    val true

    script:
    def data = params.fetch ? ["${command()} data fetch ${shellWords(['--suite', suite, '--data', file(params.data)])}"] : []
    (data + models.collect { "${command()} models fetch ${quoted(it)}" }).join('\n') ?: ':'
}

process shard {
    tag "${run.run} ${i}/${n}"
    cpus params.threads
    memory { params.memory_mb * 1.MB * task.attempt }
    time "${params.minutes} min"
    errorStrategy { permanent(task.exitStatus) ? 'finish' : 'retry' }

    input:
    tuple val(run), val(i), val(n), path(model, stageAs: 'model/*')
    path suite
    path data
    val fetched

    output:
    tuple val(run), val(n), path("part-${i}", type: 'dir')

    script:
    def name = suite ? suite.toString() : params.suite
    def setting = run.setting ? ['--setting', run.setting] : []
    def words = ['--suite', name, '--data', data, '--task', run.task, '--model', model ?: run.model] + setting +
        (run.options ?: '').tokenize() + ['--out', "part-${i}", '--shard', "${i}/${n}", '--threads', task.cpus, '--no-timing']
    "${command()} run ${shellWords(words)}"
}

process mergeRun {
    tag "${run.run}"
    publishDir params.out, mode: 'copy'
    memory { params.memory_mb * 1.MB * task.attempt }
    time "${params.minutes} min"
    errorStrategy { permanent(task.exitStatus) ? 'finish' : 'retry' }

    input:
    tuple val(run), path(parts)

    output:
    path "${run.run}", type: 'dir'

    script:
    """
    mkdir ${run.run}
    for part in part-*; do cp -rnL "\$part"/. ${run.run}; done
    ${command()} merge ${run.run}
    """
}

process report {
    publishDir params.out, mode: 'copy'
    memory "${params.memory_mb} MB"

    input:
    path runs

    output:
    path 'report.html'

    script:
    "${command()} report ${shellWords(runs instanceof List ? runs : [runs])} --out report.html"
}

/** Errors of the input and bugs, which a second attempt repeats. */
def permanent(code) { code in [2, 70] }

/** Parameters without which a profile cannot run. */
def needed = [kubernetes: ['container', 'claim'], awsbatch: ['container', 'queue', 'region']]

workflow {
    workflow.profile.tokenize(',').each { profile ->
        def missing = (needed[profile] ?: []).findAll { !params[it] }
        if (missing) error "profile ${profile}: ${missing.join(', ')} missing in the configuration"
    }
    def rows = file(params.sheet, checkIfExists: true).splitCsv(header: true, sep: '\t')
    def names = rows*.run
    if (!rows || names.toUnique().size() < rows.size()) error "${params.sheet}: expected one row per run, each with its own name"
    rows.each { row ->
        if (!(row.run ==~ /\w[\w.-]*/) || !(row.shards ==~ /[1-9]\d{0,4}/))
            error "${params.sheet}: '${row.run}' with '${row.shards}' shards: expected a name of letters, digits, . _ - and a number"
    }
    def suite = fileOf(params.suite)
    fetched = params.fetch || params.fetch_models ? fetch(suite ?: params.suite, params.fetch_models) : Channel.value(true)
    shards = Channel.fromList(rows).flatMap { row ->
        def n = row.shards as int
        (1..n).collect { i -> tuple(row, i, n, fileOf(row.model)) }
    }
    parts = shard(shards, suite, file(params.data), fetched)
    runs = mergeRun(parts.map { run, n, part -> tuple(groupKey(run, n), part) }.groupTuple().map { key, found -> tuple(key.target, found) })
    report(runs.collect())
}
