# cmake -DSOURCE=… -DFIND=file -DREPLACE=file -DEXPORT=name -DAS=name -DOUTPUT=… -P plant.cmake
# Copies a source with one mistake planted in it and its one exported function under another name. The text to be
# replaced must stand there exactly once, so that no mistake gets lost when the source changes.
file(READ ${SOURCE} text)
file(READ ${FIND} find)
file(READ ${REPLACE} replace)
string(FIND "${text}" "${find}" first)
string(FIND "${text}" "${find}" last REVERSE)
if(first EQUAL -1 OR NOT first EQUAL last)
  message(FATAL_ERROR "${SOURCE}: the place for a mistake is not there exactly once:\n${find}")
endif()
string(REPLACE "${find}" "${replace}" text "${text}")
string(REPLACE "${EXPORT}" "${AS}" text "${text}")
file(WRITE ${OUTPUT} "${text}")
