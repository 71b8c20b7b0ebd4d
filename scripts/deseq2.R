# Differential analysis of a table of counts with DESeq2, as DART-Eval's Task 3 uses it: one condition against all other
# samples, default results. Called by `dart-eval build cell-type-elements`.
#
#   Rscript deseq2.R counts.csv design.csv results.csv
#
# counts.csv   peak,<sample>,<sample>,...    whole numbers
# design.csv   sample,condition              samples in the order of the columns; the condition, or "other"
# results.csv  peak,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj    NA where DESeq2 reports NA
#
# Exit code 3: DESeq2 is not installed.

arguments <- commandArgs(trailingOnly = TRUE)
if (!requireNamespace("DESeq2", quietly = TRUE)) quit(status = 3)
suppressPackageStartupMessages(library(DESeq2))

counts <- as.matrix(read.csv(arguments[1], row.names = 1, check.names = FALSE))
design <- read.csv(arguments[2], row.names = 1, colClasses = "character")
stopifnot(identical(colnames(counts), rownames(design)))
design$condition <- relevel(factor(design$condition), ref = "other")

analysis <- DESeqDataSetFromMatrix(countData = counts, colData = design, design = ~ condition)
analysis <- DESeq(analysis, quiet = TRUE)
found <- as.data.frame(results(analysis))

# Written to a temporary file, then renamed.
beside <- paste0(arguments[3], ".part")
write.csv(data.frame(peak = rownames(found), found), beside, row.names = FALSE, quote = FALSE)
invisible(file.rename(beside, arguments[3]))
cat(paste0("DESeq2 ", packageVersion("DESeq2"), ", ", R.version.string), "\n")
