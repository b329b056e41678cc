/*
 * What a pull tells its operator on the way.
 */
#include "work.h"

void
pull_unreadable(struct pull *pull, struct span origin, struct span reason)
{
	pull->report.unreadable++;
	progress_end(&pull->progress);
	report_refusal(&pull->report, origin, reason);
}

void
pull_refused(struct pull *pull, struct span origin, struct span reason)
{
	pull->report.refused++;
	progress_end(&pull->progress);
	report_refusal(&pull->report, origin, reason);
}

void
pull_note(struct pull *pull, enum note_kind kind, const char *what, struct span origin)
{
	source_note(&pull->source, kind, span_from_string(what), origin);
}
