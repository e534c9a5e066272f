# Run by cpack over the tree that it is about to pack: what Debian has in other form or place
# than `cmake --install`. Man pages and the changelog are compressed, the licence is named
# copyright.
file(GLOB_RECURSE docs LIST_DIRECTORIES true ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*)
foreach(folder IN LISTS docs)
  if(IS_DIRECTORY ${folder} AND folder MATCHES "/share/doc/passation$")
    file(REMOVE ${folder}/LICENSE)
    configure_file(${CPACK_PASSATION_COPYRIGHT} ${folder}/copyright COPYONLY)
    configure_file(${CPACK_PASSATION_CHANGELOG} ${folder}/changelog COPYONLY)
    execute_process(COMMAND gzip -9n ${folder}/changelog COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.[1-8])
foreach(page IN LISTS pages)
  if(page MATCHES "/share/man/")
    execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
