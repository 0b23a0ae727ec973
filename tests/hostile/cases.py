"""All hostile programs, by themes."""

from __future__ import annotations

import attributes
import borrows
import ends
import files
import forgeries
import greed
import lies
import machine
import processes
import readings
import rewrites
import shared

# Those that were tried against the judge before measured code was confined.
FIRST = (
    *ends.ENDING_THE_PROCESS,
    *ends.HOLDING_OUT,
    *ends.USING_TOO_MUCH,
    *rewrites.LEAVING_SOMETHING_BEHIND,
    *rewrites.REWRITING_PYTHON_AND_ITS_LIBRARIES,
    *rewrites.LOOKING_FOR_THE_ANSWER_OR_WRITING_ONE,
    *rewrites.AGAINST_THE_PROCESS_THAT_SUPERVISES,
    *lies.NUMBERS_THAT_LIE,
    *lies.FILES_AND_SETTINGS_AROUND_THE_CODE,
)

CASES = (
    *FIRST,
    *forgeries.WITHOUT_NUMBERS,
    *forgeries.BY_MEMORY,
    *forgeries.BY_THE_RESULT,
    *borrows.BORROWING,
    *files.OUTSIDE,
    *files.THE_GAME,
    *attributes.ATTRIBUTES,
    *processes.ENDING_OTHERS,
    *processes.STEERING_OTHERS,
    *processes.INTO_OTHERS,
    *shared.SOCKETS,
    *shared.TERMINALS,
    *shared.SHARED_BY_NAME,
    *machine.BECOMING_ANOTHER,
    *machine.BLIND_SPOTS,
    *machine.SETTINGS,
    *readings.READING,
    *greed.TOGETHER,
    *greed.HARD_TO_END,
)
