# What Debian wants and an installation does not: manual pages and the changelog packed, the licence under its name. Run
# by cpack between installing into its folder and making the package.
file(GLOB_RECURSE manuals "${CPACK_TEMPORARY_DIRECTORY}/*.[18]")
file(GLOB_RECURSE changes "${CPACK_TEMPORARY_DIRECTORY}/CHANGELOG.md")
file(GLOB_RECURSE licences "${CPACK_TEMPORARY_DIRECTORY}/LICENSE")
get_filename_component(folder ${licences} DIRECTORY)
file(RENAME ${licences} ${folder}/copyright)
file(RENAME ${changes} ${folder}/changelog)
execute_process(COMMAND gzip -9n ${manuals} ${folder}/changelog COMMAND_ERROR_IS_FATAL ANY)
